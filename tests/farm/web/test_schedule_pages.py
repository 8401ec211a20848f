"""The form of when an agent sleeps: what is set by it, what is refused where, what is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from farm.agents.models import Agent, Schedule
from tests.farm.web import scenes, sleep_scenes
from tests.farm.web.test_agent_pages import page

WEEK = {f"{end}_{day}": clock for day in range(5) for end, clock in (("begins", "08:00"),)}
SENT = {**WEEK, **{f"ends_{day}": "20:00" for day in range(5)}, "zone": "Europe/Paris"}


@pytest.fixture
def nino(people: scenes.People) -> Agent:
    """Alice's running agent."""
    return scenes.running(scenes.agent(people.alice))


def test_hours_are_set_and_taken_back(alice: Client, nino: Agent) -> None:
    path = f"/agents/{nino.uid}/schedule/"
    sent = {**SENT, "quiet_days": "2099-12-24, 2099-12-25", "idle_hours": "3"}
    assert alice.post(path, sent)["Location"] == f"/agents/{nino.uid}/"
    row = Schedule.objects.get()
    assert row.hours == "08:00-20:00," * 4 + "08:00-20:00,,"
    assert (row.quiet_days, row.idle_hours) == ("2099-12-24 2099-12-25", 3)
    shown = page(alice, nino, "schedule/")
    assert 'id="id_begins_0" value="08:00"' in shown
    assert "2099-12-24\n2099-12-25" in shown
    assert alice.post(path, {"clear": "yes"}).status_code == 302
    assert not Schedule.objects.exists()


def test_what_is_wrong_is_told_at_its_field_and_nothing_is_lost(alice: Client, nino: Agent) -> None:
    path = f"/agents/{nino.uid}/schedule/"
    for wrong, field in (
        ({"ends_1": ""}, "hours_1_error"),
        ({"zone": "Paris"}, "zone_error"),
        ({"quiet_days": "Christmas"}, "quiet_days_error"),
        ({"idle_hours": "many"}, "idle_hours_error"),
        ({"idle_hours": "9999"}, "idle_hours_error"),
    ):
        refused = alice.post(path, {**SENT, **wrong})
        assert refused.status_code == 422
        shown = refused.content.decode()
        assert f'id="{field}"' in shown
        assert shown.count('value="08:00"') == 5
    assert not Schedule.objects.exists()


def test_its_page_warns_and_offers_more_time(alice: Client, nino: Agent) -> None:
    now = timezone.now()
    nino.operations.update(started_at=now - timedelta(days=30))
    used = now - timedelta(minutes=30)
    nino.messages.update(at=used)
    Schedule.objects.create(agent=nino, idle_hours=1, changed_at=used, due_at=now)
    shown = page(alice, nino)
    assert "Unused as now, it falls asleep" in shown
    assert "Keep it running for 3 more hours" in shown
    assert alice.post(f"/agents/{nino.uid}/keep/", {"hours": "3"}).status_code == 302
    assert "It is kept awake; that ends" in page(alice, nino)
    assert alice.post(f"/agents/{nino.uid}/keep/").status_code == 302
    assert Schedule.objects.get().keep_until is None


def test_a_moment_is_meant_by_the_schedules_clock(alice: Client, nino: Agent) -> None:
    sleep_scenes.with_hours(nino)
    tomorrow = (timezone.now() + timedelta(days=1)).date()
    alice.post(f"/agents/{nino.uid}/keep/", {"until": f"{tomorrow}T12:00"})
    kept = Schedule.objects.get().keep_until
    assert kept
    assert kept.hour in (10, 11)


def test_a_moment_that_is_none_is_told_at_its_field(alice: Client, nino: Agent) -> None:
    for until in ("tomorrow", "2020-01-01T12:00"):
        refused = alice.post(f"/agents/{nino.uid}/keep/", {"until": until})
        assert refused.status_code == 422
        assert 'id="until_error"' in refused.content.decode()
    assert not Schedule.objects.exists()


def test_asleep_its_page_says_when_it_wakes(alice: Client, nino: Agent) -> None:
    sleep_scenes.with_hours(sleep_scenes.asleep(nino))
    assert "Its hours wake it" in page(alice, nino)


def test_team_mates_and_strangers_may_not(bob: Client, charlie: Client, nino: Agent) -> None:
    for other in (bob, charlie):
        assert other.get(f"/agents/{nino.uid}/schedule/").status_code == 404
        assert other.post(f"/agents/{nino.uid}/schedule/", SENT).status_code == 404
        assert other.post(f"/agents/{nino.uid}/keep/", {"hours": "3"}).status_code == 404
    assert not Schedule.objects.exists()
