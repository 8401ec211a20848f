"""`farm projects`: several projects of a cloud, and in which one an account's machines are made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings
from typer.testing import CliRunner

from farm.accounts.models import Account, AuditEntry, User
from farm.agents.models import AccountProject, ProviderProject, RequestBudget, Server
from farm.agents.projects import FULL, project_of, project_with_room
from farm.agents.reconciler.machines import provider_in
from farm.ops import project_commands
from tests.farm.web import scenes
from tests.sandbox.hetzner.cloud_at_work import CloudAtWork, cloud_at_work

pytestmark = pytest.mark.django_db


@dataclass(frozen=True, slots=True)
class Stage:
    """A Hetzner Cloud with the farm's project, and one that is not the farm's yet."""

    cloud: CloudAtWork
    second: str
    read_only: str
    folder: Path

    def say(self, *words: str, by: str = "olga@example.org", stdin: str = "") -> tuple[int, str]:
        """Type a command as somebody: its exit code, and all that it wrote."""
        done = CliRunner().invoke(
            project_commands.app, list(words), env={"FARM_USER": by}, input=stdin
        )
        return done.exit_code, done.output

    def add(
        self, token: str, name: str = "second", by: str = "olga@example.org"
    ) -> tuple[int, str]:
        """One more project, its token on standard input."""
        return self.say("add", "hetzner", name, "--token-file", "-", by=by, stdin=token)


@pytest.fixture
def stage(tmp_path: Path, settings: Settings) -> Iterator[Stage]:
    """The operator Olga, and a cloud at work."""
    User.objects.create(email="olga@example.org", is_superuser=True)
    with cloud_at_work(tmp_path / "cloud") as at_work:
        settings.HETZNER_TOKEN = at_work.cloud.token
        settings.HETZNER_ENDPOINT = at_work.endpoint
        made = at_work.order("/hetzner/projects", {"name": "second"}).json()
        yield Stage(at_work, made["token"], made["read_token"], tmp_path)


def server_in(project: ProviderProject, account: Account) -> Server:
    """A machine there, of nobody in particular."""
    now = timezone.now()
    return Server.objects.create(
        provider=project.provider, project=project, requested_at=now, phase_since=now
    )


def test_a_project_is_added_once_its_cloud_takes_the_token(stage: Stage) -> None:
    code, said = stage.add("nonsense")
    assert (code, ProviderProject.objects.filter(name="second").count()) == (1, 0)
    code, said = stage.add(stage.read_only)
    assert (code, "Read & Write" in said) == (1, True)
    assert stage.add(stage.second)[0] == 0
    row = ProviderProject.objects.get(name="second")
    assert row.due_at
    assert AuditEntry.objects.filter(verb="add project", subject="hetzner/second").count() == 1
    assert provider_in(row).find("farm-none") is None
    assert RequestBudget.objects.get(project=row).asked == 1
    assert stage.second not in stage.say("list", "--json")[1]


def test_one_project_has_one_row(stage: Stage) -> None:
    project_of("hetzner")
    code, said = stage.add(stage.cloud.cloud.token)
    assert (code, "already" in said) == (1, True)
    stage.add(stage.second)
    assert stage.add(stage.second, "third")[0] == 1
    assert stage.add(stage.second, "second")[0] == 1
    assert ProviderProject.objects.count() == 2


def test_bad_input_is_told_at_its_field(stage: Stage) -> None:
    for words in (
        ("add", "nimbus", "second", "--token-file", "-"),
        ("add", "hetzner", "a b", "--token-file", "-"),
        ("add", "scaleway", "second", "--token-file", "-"),
        ("pause", "hetzner/none"),
        ("assign", "hetzner/none", "nobody"),
    ):
        code, said = stage.say(*words, stdin="x")
        assert (code, len(said) > 20) == (1, True), words


def test_a_stranger_changes_nothing(stage: Stage) -> None:
    scenes.people()
    project_of("hetzner")
    by = "charlie@example.org"
    assert stage.add(stage.second, by=by)[0] == 1
    assert stage.say("pause", "hetzner", by=by)[0] == 1
    account = Account.objects.earliest("pk")
    assert stage.say("assign", "hetzner", account.uid, by=by)[0] == 1
    assert list(ProviderProject.objects.values_list("held", flat=True)) == [False]
    assert not AccountProject.objects.exists()


def test_an_account_stays_in_its_project_while_that_has_room(stage: Stage) -> None:
    people, main = scenes.people(), project_of("hetzner")
    stage.add(stage.second)
    second = ProviderProject.objects.get(name="second")
    server_in(main, people.account)
    assert project_with_room("hetzner", people.account) == second
    server_in(second, people.account)
    server_in(second, people.account)
    assert project_with_room("hetzner", people.account) == second
    other = Account.objects.exclude(pk=people.account.pk).earliest("pk")
    assert project_with_room("hetzner", other) == main


@pytest.mark.parametrize("why", ["held", "full"])
def test_without_room_the_next_machine_is_made_elsewhere(stage: Stage, why: str) -> None:
    people, main = scenes.people(), project_of("hetzner")
    stage.add(stage.second)
    stage.say("assign", "hetzner/main", people.account.uid)
    assert project_with_room("hetzner", people.account) == main
    if why == "held":
        stage.say("pause", "hetzner/main")
    else:
        ProviderProject.objects.filter(name="main").update(reason=FULL)
    assert project_with_room("hetzner", people.account).name == "second"
    stage.say("resume", "hetzner/main")
    ProviderProject.objects.update(reason="")
    assert project_with_room("hetzner", people.account) == main


def test_the_list_tells_what_is_left(stage: Stage) -> None:
    provider_in(project_of("hetzner")).find("farm-none")
    stage.say("pause", "hetzner")
    (row,) = json.loads(stage.say("list", "--json")[1])
    assert (row["limit"], row["asked"], row["held"]) == (3600, 1, True)
    assert "paused by the operator" in stage.say("list")[1]
