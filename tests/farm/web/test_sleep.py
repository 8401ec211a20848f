"""Putting an agent to sleep and waking it: on its page, at its address, on the lists."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from farm.agents.models import Agent, AgentPhase, Offer, Operation, OperationKind
from tests.farm.web import scenes, sleep_scenes
from tests.farm.web.test_agent_pages import PARTS, page


@pytest.fixture
def nino(people: scenes.People) -> Agent:
    """Alice's running agent, where copies of disks have a price."""
    sleep_scenes.copy_prices()
    return sleep_scenes.placed(scenes.running(scenes.agent(people.alice)))


def test_the_button_says_both_prices_and_the_true_saving(alice: Client, nino: Agent) -> None:
    shown = page(alice, nino)
    assert "Asleep it costs at most 0.44\xa0EUR a month instead of 4.91\xa0EUR." in shown
    # What it comes to depends on the day of the month: see the tests of naps.
    assert re.search(r"A night of 12 hours (saves|costs)", shown)
    assert "cx23 (Hetzner, fsn1) was sold out" in shown


def test_it_is_put_to_sleep(alice: Client, nino: Agent) -> None:
    assert alice.post(f"/agents/{nino.uid}/stop/")["Location"] == f"/agents/{nino.uid}/"
    nino.refresh_from_db()
    assert nino.wanted == Agent.Wanted.STOPPED
    shown = page(alice, nino)
    assert "Nino is falling asleep" in shown
    assert "I save what it has" in shown


def test_what_cannot_sleep_says_why(people: scenes.People, alice: Client) -> None:
    row = scenes.waiting(scenes.agent(people.alice), done=1)
    answer = alice.post(f"/agents/{row.uid}/stop/", follow=True)
    assert "It is on its way: wait until it answers" in answer.content.decode()


def test_asleep_its_page_says_since_when_and_what_that_costs(alice: Client, nino: Agent) -> None:
    shown = page(alice, sleep_scenes.asleep(nino))
    assert "For 3\xa0h\xa000\xa0min." in shown
    assert "at most 0.13\xa0EUR a month" in shown
    assert "Wake Nino - 0.0079\xa0EUR an hour" in shown
    assert "Telegram keeps what you send for a day" in shown
    assert "Open its console" not in shown
    assert "asleep" in alice.get("/agents/").content.decode()


def test_what_was_typed_to_a_sleeper_stays(alice: Client, nino: Agent) -> None:
    sleep_scenes.asleep(nino)
    whole = alice.post(f"/agents/{nino.uid}/say/", {"text": "Are you up?"})
    assert whole.status_code == 422
    assert ">Are you up?</textarea>" in whole.content.decode()
    part = alice.post(f"/agents/{nino.uid}/say/", {"text": "Are you up?"}, headers=PARTS)
    assert (part.status_code, part["HX-Retarget"]) == (422, "#say_error")
    assert "wake it" in part.content.decode()
    assert not nino.messages.filter(text="Are you up?").exists()


def test_it_is_woken_at_the_price_that_was_read(alice: Client, nino: Agent) -> None:
    sleep_scenes.asleep(nino)
    Offer.objects.update(hourly_micros=9_000)
    seen = {"seen": "7900"}
    dearer = alice.post(f"/agents/{nino.uid}/wake/", seen)
    assert dearer.status_code == 422
    assert "The price has changed since you read it" in dearer.content.decode()
    assert "No machine is to be had at the price that was agreed" in dearer.content.decode()
    agreed = {"seen": "9800", "dearer": "yes"}
    assert alice.post(f"/agents/{nino.uid}/wake/", agreed).status_code == 302
    nino.refresh_from_db()
    assert (nino.wanted, nino.agreed_hourly_micros) == (Agent.Wanted.RUNNING, 9_800)


def test_from_its_own_address_it_goes_on_into_its_console(alice: Client, nino: Agent) -> None:
    sleep_scenes.asleep(nino)
    path = f"/agents/{nino.uid}/wake/"
    assert "Wake Nino" in page(alice, nino, "wake/")
    assert alice.post(path, {"then": "console"})["Location"] == path
    waiting = page(alice, nino, "wake/")
    assert "Nino is waking up" in waiting
    assert 'hx-trigger="every 1s"' in waiting
    scenes.running(scenes.agent(nino.owner, "Other"))
    nino.operations.filter(kind=OperationKind.WAKE).update(state="done")
    Agent.objects.filter(pk=nino.pk).update(phase=AgentPhase.RUNNING)
    assert alice.get(path)["Location"] == f"/agents/{nino.uid}/open/"


def test_the_page_becomes_another_by_itself(alice: Client, nino: Agent) -> None:
    sleep_scenes.waking(nino)
    asked = f"/agents/{nino.uid}/progress/?on=changing"
    assert alice.get(asked, headers=PARTS).status_code == 200
    sleep_scenes.move(nino, AgentPhase.RUNNING)
    nino.operations.update(state="done")
    assert alice.get(asked, headers=PARTS)["HX-Trigger"] == "farm-changed"
    talk = f"/agents/{nino.uid}/conversation/?on=changing"
    assert alice.get(talk, headers=PARTS)["HX-Trigger"] == "farm-changed"


def test_money_says_what_sleep_saves(alice: Client, nino: Agent) -> None:
    assert "sleeping saves up to 4.46\xa0EUR a month" in alice.get("/money/").content.decode()
    sleep_scenes.asleep(nino)
    shown = alice.get("/money/").content.decode()
    assert "asleep; deleting it saves up to 0.13\xa0EUR a month" in shown


def test_team_mates_and_strangers_may_not(bob: Client, charlie: Client, nino: Agent) -> None:
    sleep_scenes.asleep(nino)
    before = Operation.objects.count()
    for other in (bob, charlie):
        assert other.post(f"/agents/{nino.uid}/stop/").status_code == 404
        assert other.post(f"/agents/{nino.uid}/wake/").status_code == 404
        assert other.get(f"/agents/{nino.uid}/wake/").status_code == 404
    assert Operation.objects.count() == before
