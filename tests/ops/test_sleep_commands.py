"""`farm agents stop|wake|resize|move|rebuild|schedule` against rows that stand still."""

from __future__ import annotations

import json

import pytest
from pytest_django.fixtures import Settings

from farm.accounts.models import AuditEntry, Door
from farm.agents.models import Agent, Operation, OperationKind, Schedule
from tests.farm.web import scenes, sleep_scenes
from tests.ops.test_agents_command import say

pytestmark = pytest.mark.django_db
STRANGER = "charlie@example.org"


@pytest.fixture
def nino(settings: Settings) -> Agent:
    """Alice's running agent."""
    settings.SANDBOX_MODEL_ENDPOINT = "http://127.0.0.1:1/v1"
    settings.SANDBOX_MODEL = "sandbox-1"
    scenes.prices()
    sleep_scenes.copy_prices()
    return sleep_scenes.placed(scenes.running(scenes.agent(scenes.people().alice)))


def test_stopping_says_what_it_saves(nino: Agent) -> None:
    said = say("stop", "nino", "--no-wait")
    assert said.code == 0, said.err
    assert "Nino asleep: at most" in said.err
    assert "A night (12 h) saves" in said.err
    assert nino.operations.get(kind=OperationKind.STOP)
    assert AuditEntry.objects.get(verb="stop agent").door == Door.CLI


def test_json_says_the_same(nino: Agent) -> None:
    shown = json.loads(say("stop", "nino", "--no-wait", "--json").out)
    assert shown["agent"]["uid"] == nino.uid
    assert shown["place"] == "Hetzner, nbg1, cx23"
    assert "sold out" in shown["why_there"]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("resize", "nino", "large"), OperationKind.RESIZE),
        (("move", "nino", "finland"), OperationKind.MOVE),
        (("rebuild", "nino"), OperationKind.REBUILD),
    ],
)
def test_a_change_says_its_price_and_wants_a_yes(
    nino: Agent, words: tuple[str, ...], kind: OperationKind
) -> None:
    asked = say(*words, "--no-wait")
    assert (asked.code, "Say --yes to" in asked.err) == (1, True)
    assert not nino.operations.filter(kind=kind).exists()
    done = say(*words, "--no-wait", "--yes")
    assert done.code == 0, done.err
    assert nino.operations.get(kind=kind)


def test_waking_says_its_price_and_wants_a_yes(nino: Agent) -> None:
    sleep_scenes.asleep(nino)
    asked = say("wake", "nino", "--no-wait")
    assert (asked.code, "0.0079" in asked.err) == (1, True)
    assert say("wake", "nino", "--no-wait", "--json").code == 0
    assert nino.operations.get(kind=OperationKind.WAKE)


def test_a_refusal_is_told_at_its_argument(nino: Agent) -> None:
    refused = say("resize", "nino", "small", "--yes", "--json")
    assert (refused.code, json.loads(refused.out)["field"]) == (1, "plan")
    assert "It has this size already" in refused.err
    assert "Only an agent that sleeps can be woken" in say("wake", "nino", "--yes").err
    assert nino.operations.count() == 1


def test_a_schedule_is_set_piece_by_piece(nino: Agent) -> None:
    set_once = say(
        "schedule", "nino", "--zone", "Europe/Paris", "--hours", "mon-thu 08:00-20:00",
        "--hours", "fri 08:00-16:00", "--idle", "3",
    )  # fmt: skip
    assert set_once.code == 0, set_once.err
    assert "mon 08:00-20:00" in set_once.out
    assert say("schedule", "nino", "--quiet", "2099-12-24").code == 0
    row = Schedule.objects.get()
    assert (row.zone, row.idle_hours, row.quiet_days) == ("Europe/Paris", 3, "2099-12-24")
    assert row.hours.split(",")[3:] == ["08:00-20:00", "08:00-16:00", "", ""]
    shown = json.loads(say("schedule", "nino", "--json").out)
    assert shown["sleeps"]["state"] == "asleep"
    assert "asleep 20" in say("list").out
    assert "Falls asleep" in say("show", "nino").out
    assert say("schedule", "nino", "--clear").code == 0
    assert not Schedule.objects.exists()


def test_what_is_wrong_in_a_schedule_is_told_at_its_option(nino: Agent) -> None:
    for words, told in (
        (("--hours", "08:00-20:00"), "--hours"),
        (("--hours", "mon 8-20"), "--hours-0"),
        (("--zone", "Paris"), "--zone"),
        (("--quiet", "Christmas"), "--quiet-days"),
        (("--keep-until", "later"), "--keep-until"),
    ):
        refused = say("schedule", "nino", *words)
        assert (refused.code, told in refused.err) == (1, True), refused.err
    assert not nino.events.filter(code="schedule_set").exists()


def test_strangers_find_no_such_agent(nino: Agent) -> None:
    for words in (("stop",), ("wake",), ("rebuild",), ("schedule", "--clear")):
        refused = say(words[0], nino.uid, *words[1:], by=STRANGER)
        assert (refused.code, "There is no agent called" in refused.err) == (1, True)
    assert Operation.objects.count() == 1
