"""Schedules as rows: set by their people, followed by a worker once, and never in the way."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from farm.accounts.models import AuditEntry, Door
from farm.agents.models import Agent, LastUse, Message, Operation, OperationKind, Schedule
from farm.agents.reconciler.driving import SCHEDULES
from farm.agents.refusals import Refused
from farm.agents.schedules import note_talk
from farm.agents.selectors.schedules import State, Why, rhythm_of
from farm.agents.services import (
    ScheduleWish,
    clear_schedule,
    delete_agent,
    keep_running,
    note_console_use,
    set_schedule,
    stop_agent,
)
from tests.farm.web import scenes, sleep_scenes

DAY = timedelta(days=1)
LONG_AGO = timedelta(days=40)


@pytest.fixture
def nino(people: scenes.People) -> Agent:
    """Alice's agent, which runs since long ago and was not used for two hours."""
    row = scenes.running(scenes.agent(people.alice))
    now = timezone.now()
    row.operations.update(started_at=now - LONG_AGO)
    row.messages.update(at=now - timedelta(hours=2))
    return row


def quiet(agent: Agent, *ago: int, **more: object) -> Schedule:
    """Its quiet days are those so many days ago: the last boundary was a midnight."""
    today = timezone.now().date()
    days = sorted(today - number * DAY for number in ago)
    now = timezone.now()
    found: Schedule = Schedule.objects.create(
        agent=agent,
        quiet_days=" ".join(day.isoformat() for day in days),
        changed_at=now - LONG_AGO,
        due_at=now,
        **more,
    )
    return found


def followed(schedule: Schedule) -> Agent:
    """A worker looks; the agent afterwards."""
    Schedule.objects.filter(pk=schedule.pk).update(due_at=timezone.now())
    assert SCHEDULES.work(schedule.pk, lambda _claim: None)
    schedule.refresh_from_db()
    return Agent.objects.get(pk=schedule.agent_id)


def test_a_boundary_puts_it_to_sleep_once_and_by_nobody(nino: Agent) -> None:
    schedule = quiet(nino, -1, 0, 1)
    assert followed(schedule).wanted == Agent.Wanted.STOPPED
    assert followed(schedule).wanted == Agent.Wanted.STOPPED
    assert nino.operations.filter(kind=OperationKind.STOP).count() == 1
    entry = AuditEntry.objects.get(verb="stop agent")
    assert (entry.actor, entry.door) == (None, Door.FARM)
    assert nino.events.filter(code="slept_by_hours").count() == 1
    assert schedule.due_at
    assert schedule.due_at > timezone.now()


def test_a_boundary_wakes_it(nino: Agent) -> None:
    asleep = sleep_scenes.asleep(nino)
    asleep.operations.update(started_at=timezone.now() - LONG_AGO)
    assert followed(quiet(asleep, 2)).wanted == Agent.Wanted.RUNNING
    assert asleep.operations.get(kind=OperationKind.WAKE)
    assert asleep.events.get(code="woken_by_hours")


def test_a_wish_after_the_boundary_comes_before_it(nino: Agent) -> None:
    asleep = sleep_scenes.asleep(nino)
    assert followed(quiet(asleep, 2)).wanted == Agent.Wanted.STOPPED


def test_a_schedule_that_was_just_set_changes_nothing_yet(nino: Agent) -> None:
    today = timezone.now().date()
    days = tuple((today + number * DAY).isoformat() for number in (-1, 0, 1))
    wish = ScheduleWish("UTC", quiet_days=days)
    row = set_schedule(actor=nino.owner, door=Door.WEB, agent=nino, wish=wish)
    assert row.quiet_days.split() == list(days[1:])
    assert followed(row).wanted == Agent.Wanted.RUNNING


def test_a_turn_under_way_is_not_cut_off(nino: Agent) -> None:
    said = scenes.says(nino, Message.Author.MEMBER, "Und?", Message.State.SENT)
    schedule = quiet(nino, -1, 0, 1)
    assert followed(schedule).wanted == Agent.Wanted.RUNNING
    said.delete()
    assert followed(schedule).wanted == Agent.Wanted.STOPPED


def test_a_longer_stay_holds_it_awake(nino: Agent) -> None:
    schedule = quiet(nino, -1, 0, 1)
    until = timezone.now() + timedelta(hours=1)
    keep_running(actor=nino.owner, door=Door.WEB, agent=nino, until=until)
    assert followed(schedule).wanted == Agent.Wanted.RUNNING
    keep_running(actor=nino.owner, door=Door.WEB, agent=nino, until=None)
    assert followed(schedule).wanted == Agent.Wanted.STOPPED


def test_unused_it_falls_asleep(nino: Agent) -> None:
    schedule = quiet(nino, idle_hours=1)
    assert followed(schedule).wanted == Agent.Wanted.STOPPED
    assert nino.events.get(code="slept_when_idle")


@pytest.mark.parametrize("use", ["message", "console", "channel"])
def test_every_use_holds_it_awake(nino: Agent, use: str) -> None:
    schedule, now = quiet(nino, idle_hours=1), timezone.now()
    if use == "message":
        scenes.says(nino, Message.Author.MEMBER, "Noch da?")
    elif use == "console":
        note_console_use(nino.uid, now)
    else:
        note_talk(nino, now + LONG_AGO, now)
    assert followed(schedule).wanted == Agent.Wanted.RUNNING
    assert rhythm_of(nino, now).used_at <= timezone.now()


def test_a_use_is_not_written_down_at_every_request(nino: Agent) -> None:
    first = timezone.now()
    note_console_use(nino.uid, first)
    note_console_use(nino.uid, first + timedelta(seconds=30))
    assert LastUse.objects.get().console_at == first


def test_a_refusal_is_told_and_tried_again(nino: Agent) -> None:
    Agent.objects.filter(pk=nino.pk).update(running_since=None)
    schedule = quiet(nino, -1, 0, 1)
    assert followed(schedule).wanted == Agent.Wanted.RUNNING
    assert schedule.reason == "not_settled"
    assert rhythm_of(nino, timezone.now()).trouble
    Agent.objects.filter(pk=nino.pk).update(running_since=timezone.now() - LONG_AGO)
    assert followed(schedule).wanted == Agent.Wanted.STOPPED
    assert schedule.reason == ""


def test_nobody_drives_the_schedule_of_one_that_leaves(nino: Agent) -> None:
    schedule = quiet(nino, -1, 0, 1)
    delete_agent(actor=nino.owner, door=Door.WEB, agent=nino)
    assert not SCHEDULES.work(schedule.pk, lambda _claim: None)


def test_one_that_nobody_spoke_to_was_used_when_it_was_made(people: scenes.People) -> None:
    row = scenes.agent(people.alice)
    assert rhythm_of(row, timezone.now()).used_at == row.created_at


def test_what_comes_next_is_told(nino: Agent) -> None:
    quiet(nino, idle_hours=30)
    rhythm = rhythm_of(nino, timezone.now())
    assert rhythm.sleeps
    assert (rhythm.sleeps.state, rhythm.sleeps.why) == (State.ASLEEP, Why.IDLE)


def test_what_is_wrong_is_told_at_its_field(nino: Agent) -> None:
    far = (date.today() + number * DAY for number in range(1, 102))  # noqa: DTZ011
    for wish, field in (
        (ScheduleWish("Europe/Nowhere"), "zone"),
        (ScheduleWish("UTC", hours=("8-20", *[""] * 6)), "hours_0"),
        (ScheduleWish("UTC", hours=(*[""] * 6, "08:00-")), "hours_6"),
        (ScheduleWish("UTC", hours=("", "")), "hours_0"),
        (ScheduleWish("UTC", quiet_days=("24.12.",)), "quiet_days"),
        (ScheduleWish("UTC", quiet_days=[day.isoformat() for day in far]), "quiet_days"),
        (ScheduleWish("UTC", idle_hours=0), "idle_hours"),
    ):
        with pytest.raises(Refused) as refused:
            set_schedule(actor=nino.owner, door=Door.WEB, agent=nino, wish=wish)
        assert refused.value.field == field
    for until in (timezone.now(), timezone.now() + timedelta(days=400)):
        with pytest.raises(Refused) as refused:
            keep_running(actor=nino.owner, door=Door.WEB, agent=nino, until=until)
        assert refused.value.field == "until"
    assert not Schedule.objects.exists()


def test_only_its_people_may(people: scenes.People, nino: Agent) -> None:
    for other in (people.bob, people.charlie):
        with pytest.raises(PermissionDenied):
            set_schedule(actor=other, door=Door.WEB, agent=nino, wish=ScheduleWish("UTC"))
        with pytest.raises(PermissionDenied):
            clear_schedule(actor=other, door=Door.WEB, agent=nino)
        with pytest.raises(PermissionDenied):
            keep_running(actor=other, door=Door.WEB, agent=nino, until=None)
        with pytest.raises(PermissionDenied):
            stop_agent(actor=other, door=Door.WEB, agent=nino)
    assert not Operation.objects.filter(kind=OperationKind.STOP).exists()
