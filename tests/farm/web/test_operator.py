"""The operator's first page, and what a member sees of an agent that fell silent."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from typer.testing import CliRunner

from farm.accounts.models import AuditEntry, User
from farm.agents.models import Agent, BudgetRequest, Operation, OperationKind, Watch, WorkerBeat
from farm.ops.morning import app as morning
from tests.farm.web import scenes
from tests.farm.web.conftest import logged_in


@pytest.fixture
def olga(people: scenes.People) -> Client:
    """The operator's browser."""
    return logged_in(User.objects.create(email="olga@example.org", is_superuser=True))


def silent(agent: Agent, *, told: bool) -> Agent:
    """It stopped answering twenty minutes ago, and three restarts did not help."""
    now = timezone.now()
    Watch.objects.create(
        agent=agent,
        silent_since=now - timedelta(minutes=20),
        restarts=3,
        why="The agent's program is not listening.",
        told_at=now if told else None,
    )
    return agent


def beat() -> None:
    """A worker is alive."""
    WorkerBeat.objects.create(worker="loop here:1", at=timezone.now())


def test_nothing_to_do_is_one_grey_line(olga: Client) -> None:
    beat()
    shown = olga.get("/operator/").content.decode()
    assert "Nothing is to be done." in shown
    assert "notice bad" not in shown


def test_each_thing_to_do_names_its_command(people: scenes.People, olga: Client) -> None:
    beat()
    down = silent(scenes.running(scenes.agent(people.alice)), told=True)
    failed = scenes.failed(scenes.agent(people.bob, "Zoe"), detail="")
    shown = olga.get("/operator/").content.decode()
    assert f"farm agents logs {down.uid}" in shown
    assert "Nino of alice@example.org does not answer" in shown
    assert f"farm agents show {failed.uid}" in shown


def test_a_dead_worker_is_the_first_thing(olga: Client) -> None:
    assert "No worker is alive" in olga.get("/operator/").content.decode()


def test_the_operator_lands_there_and_members_do_not(olga: Client, alice: Client) -> None:
    assert olga.get("/").headers["Location"] == "/operator/"
    assert alice.get("/").headers["Location"] == "/agents/"


def test_nobody_else_learns_that_the_page_exists(
    alice: Client, bob: Client, charlie: Client
) -> None:
    assert {browser.get("/operator/").status_code for browser in (alice, bob, charlie)} == {404}
    assert Client().get("/operator/").status_code == 302


def test_the_page_asks_as_much_of_the_database_for_ten_agents_as_for_one(
    people: scenes.People, olga: Client
) -> None:
    beat()
    scenes.running(scenes.agent(people.alice))
    with CaptureQueriesContext(
        connection,
    ) as one:
        olga.get("/operator/")
    for number in range(9):
        silent(scenes.running(scenes.agent(people.alice, f"Nino {number}")), told=True)
    with CaptureQueriesContext(connection) as ten:
        olga.get("/operator/")
    assert len(ten) <= len(one)


def test_a_silent_agent_says_so_on_its_page(people: scenes.People, alice: Client) -> None:
    agent = silent(scenes.running(scenes.agent(people.alice)), told=False)
    shown = alice.get(f"/agents/{agent.uid}/").content.decode()
    assert "I restarted it 3 times." in shown
    assert "you and the operator get a mail" in shown


def test_its_owner_restarts_it(people: scenes.People, alice: Client) -> None:
    agent = scenes.running(scenes.agent(people.alice))
    assert alice.post(f"/agents/{agent.uid}/restart/").status_code == 302
    latest = Operation.objects.filter(agent=agent).latest("pk")
    assert latest.kind == OperationKind.RESTART
    assert AuditEntry.objects.filter(verb="restart agent", actor=people.alice).count() == 1


def test_one_that_failed_is_not_restarted(people: scenes.People, alice: Client) -> None:
    agent = scenes.failed(scenes.agent(people.alice), detail="")
    refused = alice.post(f"/agents/{agent.uid}/restart/", follow=True)
    assert "one that failed is tried again" in refused.content.decode()


def test_strangers_restart_nothing(people: scenes.People, bob: Client, charlie: Client) -> None:
    agent = scenes.running(scenes.agent(people.alice))
    for browser in (bob, charlie):
        assert browser.post(f"/agents/{agent.uid}/restart/").status_code == 404
    assert not Operation.objects.filter(agent=agent, kind=OperationKind.RESTART).exists()


def test_a_members_wish_for_more_and_a_late_backup_are_things_to_do(
    people: scenes.People, olga: Client
) -> None:
    beat()
    agent = scenes.running(scenes.agent(people.alice))
    long_ago = timezone.now() - timedelta(days=3)
    Agent.objects.filter(pk=agent.pk).update(running_since=long_ago)
    BudgetRequest.objects.create(
        agent=agent, asked_by=people.alice, asked_at=timezone.now(), step_micros=5_000_000
    )
    shown = olga.get("/operator/").content.decode()
    assert f"farm agents backup {agent.uid}" in shown
    assert f"farm agents budget {agent.uid}" in shown


def test_the_farm_alone_tells_the_same_and_ends_with_1_if_something_is_to_do(
    people: scenes.People,
) -> None:
    quiet = CliRunner().invoke(morning, [])
    assert (quiet.exit_code, "No worker is alive" in quiet.stdout) == (1, True)
    beat()
    well = CliRunner().invoke(morning, [])
    assert well.exit_code == 0, well.stdout
    assert "Nothing is to be done." in well.stdout
    assert "This month 0.00\N{NO-BREAK SPACE}EUR" in well.stdout
    told = json.loads(CliRunner().invoke(morning, ["--json"]).stdout)
    assert told["money"]["month"] == {"machines": 0, "ai": 0}
