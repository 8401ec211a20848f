"""Wishes about when an agent sleeps by itself: its hours, its idle time, and a longer stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action
from farm.accounts.services import record
from farm.agents.events import note
from farm.agents.models import Agent, LastUse, Schedule
from farm.agents.refusals import Refused
from farm.agents.services.channels import lock_living
from farm.agents.services.rights import demand_right
from provisioning.schedules import WEEK

LONGEST_IDLE = 24 * 30
LONGEST_STAY = timedelta(days=366)
MOST_QUIET_DAYS = 100
NOTED_EVERY = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class ScheduleWish:
    """When it is to be awake: `hours` from Monday on, such as "08:00-20:00", "" for none that day.

    `quiet_days` are ISO dates; `idle_hours` is after how long unused it falls asleep, None: never.
    """

    zone: str
    hours: Sequence[str] = ("",) * WEEK
    quiet_days: Sequence[str] = ()
    idle_hours: int | None = None


@transaction.atomic
def set_schedule(*, actor: User, door: Door, agent: Agent, wish: ScheduleWish) -> Schedule:
    """From its next boundary on it sleeps and wakes by these; nothing changes at this moment.

    Refused at "zone", "hours_0" .. "hours_6", "quiet_days" or "idle_hours".
    """
    demand_right(actor, agent, Action.MANAGE_AGENT)
    agent, now = lock_living(agent), timezone.now()
    zone = _checked_zone(wish.zone)
    row = _row_of(agent, now)
    row.zone, row.changed_at = zone.key, now
    row.hours = ",".join(_checked_week(wish.hours))
    row.quiet_days = " ".join(_checked_days(wish.quiet_days, now.astimezone(zone).date()))
    row.idle_hours = _checked_idle(wish.idle_hours)
    _save(row, now)
    note(agent, "schedule_set", at=now)
    record(account=agent.account, actor=actor, door=door, verb="set schedule", subject=agent.uid)
    return row


@transaction.atomic
def clear_schedule(*, actor: User, door: Door, agent: Agent) -> None:
    """From now on it sleeps and wakes by nobody's wish but a person's; content if it had none."""
    demand_right(actor, agent, Action.MANAGE_AGENT)
    agent, now = lock_living(agent), timezone.now()
    if Schedule.objects.filter(agent=agent).delete()[0]:
        note(agent, "schedule_cleared", at=now)
        verb = "clear schedule"
        record(account=agent.account, actor=actor, door=door, verb=verb, subject=agent.uid)


@transaction.atomic
def keep_running(
    *, actor: User, door: Door, agent: Agent, until: datetime | None, zone: str = "UTC"
) -> Schedule:
    """Until that moment nothing puts it to sleep by itself; None takes such a wish back.

    `zone` is for an agent that has no schedule yet. Refused at "until" for a moment that is over
    or more than a year away. An agent that sleeps is not woken by it.
    """
    demand_right(actor, agent, Action.MANAGE_AGENT)
    agent, now = lock_living(agent), timezone.now()
    if until and not now < until <= now + LONGEST_STAY:
        raise Refused("until", "until", _("Choose a moment from now on, within a year."))
    row = _row_of(agent, now, zone)
    row.keep_until = until
    _save(row, now)
    note(agent, "kept_running" if until else "kept_no_more", at=now)
    verb = "keep agent running"
    record(account=agent.account, actor=actor, door=door, verb=verb, subject=agent.uid)
    return row


def note_console_use(agent_uid: str, now: datetime) -> None:
    """Its console is open; written down every few minutes only."""
    fresh = Q(console_at__gt=now - NOTED_EVERY)
    if LastUse.objects.filter(fresh, agent__uid=agent_uid).exists():
        return
    agent = Agent.objects.filter(uid=agent_uid).first()
    if agent:
        LastUse.objects.update_or_create(agent=agent, defaults={"console_at": now})


def _row_of(agent: Agent, now: datetime, zone: str = "UTC") -> Schedule:
    found = Schedule.objects.filter(agent=agent).first()
    return found or Schedule(agent=agent, changed_at=now, zone=_checked_zone(zone).key)


def _save(row: Schedule, now: datetime) -> None:
    """Its worker may hold it: only what people set is written, and the bell."""
    row.due_at, row.reason, row.reason_detail = now, "", ""
    wished = ("zone", "hours", "quiet_days", "idle_hours", "keep_until", "changed_at")
    row.save(update_fields=[*wished, "due_at", "reason", "reason_detail"] if row.pk else None)


def _checked_zone(zone: str) -> ZoneInfo:
    if zone not in available_timezones():
        sentence = _("There is no such time zone: write one such as Europe/Paris.")
        raise Refused("zone", "zone_unknown", sentence)
    return ZoneInfo(zone)


def _checked_week(hours: Sequence[str]) -> Sequence[str]:
    if len(hours) != WEEK:
        raise Refused("hours_0", "hours", _("Say the hours of each of the seven days."))
    return [_checked_hours(text.strip(), f"hours_{day}") for day, text in enumerate(hours)]


def _checked_hours(text: str, field: str) -> str:
    """In the row's own form; midnight as an end is written 00:00."""
    if not text:
        return ""
    try:
        begins, ends = (_clock(part) for part in text.split("-"))
    except ValueError:
        sentence = _("Write hours such as 08:00-20:00, or leave both empty.")
        raise Refused(field, "hours", sentence) from None
    return f"{begins:%H:%M}-{ends:%H:%M}"


def _clock(text: str) -> time:
    text = text.strip()
    found = time.fromisoformat("00:00" if text == "24:00" else text)
    if found.tzinfo or len(text) < len("8:00"):
        raise ValueError(text)
    return found


def _checked_days(days: Sequence[str], today: date) -> Sequence[str]:
    """In order, each once; those that are over are forgotten."""
    found: set[date] = set()
    for text in days:
        try:
            found.add(date.fromisoformat(text.strip()))
        except ValueError:
            sentence = format_lazy(
                _("“{text}” is no date: write dates such as 2026-12-24."), text=text[:20]
            )
            raise Refused("quiet_days", "quiet_day", sentence) from None
    coming = sorted(day for day in found if day >= today)
    if len(coming) > MOST_QUIET_DAYS:
        sentence = _("These are too many: name up to 100 days.")
        raise Refused("quiet_days", "quiet_days", sentence)
    return [day.isoformat() for day in coming]


def _checked_idle(hours: int | None) -> int | None:
    if hours is not None and not 1 <= hours <= LONGEST_IDLE:
        sentence = _("Choose from 1 to 720 hours, or none.")
        raise Refused("idle_hours", "idle_hours", sentence)
    return hours
