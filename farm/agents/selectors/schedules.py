"""What an agent's schedule is, and when it falls asleep or wakes next by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from farm.agents.models import Agent, Schedule
from farm.agents.schedules import last_use_of, rules_of, seen_of
from provisioning.schedules import WEEK, Boundary, State, Why, next_sleep, next_waking

__all__ = ["WEEK", "Boundary", "Rhythm", "State", "Why", "rhythm_of"]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """An agent's schedule as it was set, and what comes of it.

    `hours` are seven texts from Monday on, such as "08:00-20:00", "" for none; `quiet_days` ISO
    dates. `sleeps` is when it falls asleep next, `wakes_at` when its hours wake it next; None if
    they do not. `trouble` is a sentence on why the last change could not be made, "" if it could.
    """

    zone: str
    hours: Sequence[str]
    quiet_days: Sequence[str]
    idle_hours: int | None
    keep_until: datetime | None
    sleeps: Boundary | None
    wakes_at: datetime | None
    used_at: datetime
    trouble: str

    @property
    def is_set(self) -> bool:
        """Whether anything would ever put it to sleep by itself."""
        return any(self.hours) or bool(self.quiet_days) or self.idle_hours is not None

    def sleeps_within(self, span: timedelta, now: datetime) -> bool:
        """Whether it is to be warned of."""
        return self.sleeps is not None and self.sleeps.at - now <= span


def rhythm_of(agent: Agent, now: datetime) -> Rhythm:
    """Its schedule; an agent without one has nothing set, in UTC."""
    row = Schedule.objects.filter(agent=agent).first()
    if row is None:
        nothing = ("",) * WEEK
        return Rhythm("UTC", nothing, (), None, None, None, None, last_use_of(agent), "")
    rules, seen = rules_of(row), seen_of(agent, row)
    kept = row.keep_until if row.keep_until and row.keep_until > now else None
    return Rhythm(
        zone=row.zone,
        hours=(row.hours or "," * (WEEK - 1)).split(","),
        quiet_days=row.quiet_days.split(),
        idle_hours=row.idle_hours,
        keep_until=kept,
        sleeps=next_sleep(rules, seen, now),
        wakes_at=next_waking(rules, now) if seen.state is State.ASLEEP else None,
        used_at=seen.used_at,
        trouble=row.reason_detail,
    )
