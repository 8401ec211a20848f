"""`farm agents` against rows that stand still: who sees what, and what is refused how."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from pytest_django.fixtures import Settings
from typer.testing import CliRunner

from farm.accounts.models import AuditEntry, Door
from farm.agents.models import Agent, AgentPhase, OperationKind
from farm.ops.agents import app
from tests.farm.web import scenes

pytestmark = pytest.mark.django_db


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str


def say(*words: str, by: str = "alice@example.org") -> Said:
    """Type a command as somebody."""
    done = CliRunner().invoke(app, list(words), env={"FARM_USER": by, "COLUMNS": "200"})
    return Said(done.exit_code, done.stdout, done.stderr)


@pytest.fixture
def nino(settings: Settings) -> Agent:
    """Alice's running agent, at a farm whose sandbox's model needs no key."""
    settings.SANDBOX_MODEL_ENDPOINT = "http://127.0.0.1:1/v1"
    settings.SANDBOX_MODEL = "sandbox-1"
    scenes.prices()
    return scenes.running(scenes.agent(scenes.people().alice))


def test_the_list_shows_what_is_there_and_what_is_gone_when_asked(nino: Agent) -> None:
    scenes.gone(scenes.running(scenes.agent(nino.owner, "Ulysse")))
    assert "Nino" in say("list").out
    assert "Ulysse" not in say("list").out
    assert [row["name"] for row in json.loads(say("list", "--all", "--json").out)] == [
        "Nino",
        "Ulysse",
    ]


def test_one_agent_is_found_by_its_name_and_by_its_uid(nino: Agent) -> None:
    by_name, by_uid = say("show", "nino", "--json"), say("show", nino.uid, "--json")
    assert by_name == by_uid
    shown = json.loads(by_name.out)
    assert shown["agent"]["phase"] == "running"
    assert shown["open_url"].startswith(f"http://{nino.host}.agents.localhost")
    assert {step["state"] for step in shown["steps"]} == {"done"}


def test_two_of_one_name_are_told_apart_by_uid(nino: Agent) -> None:
    other = scenes.agent(nino.owner, "Nino")
    asked = say("show", "Nino")
    assert asked.code == 1
    assert nino.uid in asked.err
    assert other.uid in asked.err


@pytest.mark.parametrize(
    "words",
    [("show",), ("events",), ("delete", "--yes", "--no-wait"), ("retry", "--no-wait")],
)
@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_nobody_else_finds_it(nino: Agent, words: tuple[str, ...], who: str) -> None:
    verb, *options = words
    asked = say(verb, nino.uid, *options, by=f"{who}@example.org")
    assert asked.code == 1
    assert f"There is no agent called {nino.uid}" in asked.err
    nino.refresh_from_db()
    assert nino.wanted == Agent.Wanted.RUNNING


def test_deleting_asks_to_be_confirmed_and_leaves_its_trace(nino: Agent) -> None:
    assert say("delete", "Nino", "--no-wait").code == 1
    done = say("delete", "Nino", "--no-wait", "--yes")
    assert done.code == 0
    assert nino.operations.latest("pk").kind == OperationKind.DELETE
    entry = AuditEntry.objects.get(verb="delete agent")
    assert (entry.door, entry.actor) == (Door.CLI, nino.owner)


def test_what_is_refused_is_told_at_its_option(nino: Agent) -> None:
    refused = say("create", "Ada", "--plan", "huge")
    assert refused.code == 1
    assert refused.err == "--plan: There is no “huge” here. Choose one of: small, large.\n"
    told = json.loads(say("create", "Ada", "--model", "openai", "--json").out)
    assert (told["field"], told["code"]) == ("model_key", "model_key_missing")
    assert Agent.objects.count() == 1


def test_nothing_is_bought_before_its_price_is_agreed_to(nino: Agent) -> None:
    price = (
        "for 0.0079\xa0EUR an hour, never more than 4.91\xa0EUR a month before VAT, paid by Alice."
    )
    refused = say("create", "Ada", "--no-wait")
    assert refused.code == 1
    assert refused.err == f"Ada: a machine, Germany (Hetzner), {price} Say --yes to create it.\n"
    assert not Agent.objects.filter(name="Ada").exists()
    assert say("create", "Ada", "--no-wait", "--yes").code == 0
    gone = scenes.gone(scenes.running(scenes.agent(nino.owner, "Ulysse")))
    back = say("restore", gone.uid)
    assert back.code == 1
    assert f"{price} Say --yes to bring it back." in back.err


def test_a_person_is_made_by_naming_them(nino: Agent) -> None:
    made = say("create", "Ada", "--no-wait", "--json", by="Dora@Example.org")
    assert made.code == 0, made.err
    ada = Agent.objects.get(name="Ada")
    assert ada.owner.email == "dora@example.org"
    assert ada.account != nino.account
    assert say("create", "Eve", "--no-wait", by="no address").err == (
        "no address is no e-mail address.\n"
    )


def test_only_a_failed_agent_is_tried_again(nino: Agent) -> None:
    assert "Only an agent that failed" in say("retry", "Nino", "--no-wait").err
    basile = scenes.failed(scenes.agent(nino.owner, "Basile"))
    assert say("retry", "Basile", "--no-wait").code == 0
    basile.refresh_from_db()
    assert basile.phase == AgentPhase.FAILED
    assert basile.operations.latest("pk").kind == OperationKind.CREATE


def test_why_it_failed_is_shown(nino: Agent) -> None:
    scenes.failed(scenes.agent(nino.owner, "Basile"))
    assert "Several machines in a row did not come up" in say("show", "Basile").out
