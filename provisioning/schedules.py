"""When an agent is to be awake by its schedule: decided from its rules, its use and the time.

The rule, in its order:

1. "Keep running until" comes before everything: until that moment nothing puts it to sleep. From
   that moment on it is as its hours say.
2. Working hours begin and end at boundaries. The latest boundary that is over counts, once: however
   long nobody looked, nothing older is made up for.
3. A wish that is later than that boundary comes before it, until the next one. Who wakes an agent
   at night has it until it is idle, or until its next working hours end.
4. Unused for its idle time it falls asleep, whatever its hours say; the next hours wake it.
5. It never falls asleep while it answers somebody, or while something else is done with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

WEEK = 7
LONGEST_LOOK = timedelta(hours=1)
"""A look is cheap, and none is far away after a change of clocks or of a zone's rules."""
BUSY = timedelta(minutes=1)
HORIZON = timedelta(days=36)
"""How far boundaries are looked for: quiet days may follow one another."""


class State(StrEnum):
    """What an agent is to be."""

    AWAKE = "awake"
    ASLEEP = "asleep"


class Why(StrEnum):
    """By what it is to be so."""

    HOURS = "hours"
    IDLE = "idle"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Hours:
    """Working hours of one weekday, by the clock on the wall there.

    `ends` at or before `begins` is on the day after.
    """

    begins: time
    ends: time


WHOLE_DAY = Hours(time(), time())


@dataclass(frozen=True, slots=True)
class Rules:
    """What its people set. `week` has seven entries from Monday on, None for a day without hours.

    On `quiet` days no hours begin; where no weekday has any, they are taken from whole days.
    """

    zone: ZoneInfo
    week: tuple[Hours | None, ...] = (None,) * WEEK
    quiet: frozenset[date] = frozenset()
    keep_until: datetime | None = None
    idle: timedelta | None = None

    @property
    def has_hours(self) -> bool:
        """Whether the time of the day or the day matters at all."""
        return any(self.week) or bool(self.quiet)

    def hours_of(self, day: date) -> Hours | None:
        """Those that begin on that day."""
        if day in self.quiet:
            return None
        return self.week[day.weekday()] if any(self.week) else WHOLE_DAY


@dataclass(frozen=True, slots=True)
class Seen:
    """How the agent is: awake or asleep and nothing else under way (`settled`), answering somebody
    (`busy`), when it was last wished awake or asleep, and when it was last used.
    """

    state: State
    settled: bool
    busy: bool
    wished_at: datetime
    used_at: datetime


@dataclass(frozen=True, slots=True)
class Boundary:
    """The moment at which an agent becomes awake or asleep, and by what."""

    at: datetime
    state: State
    why: Why = Why.HOURS


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done now, None for nothing, and when to look again."""

    due: Boundary | None
    look_at: datetime


def decide(rules: Rules, seen: Seen, now: datetime) -> Verdict:
    """What the rules want of it at `now`."""
    due = _due(rules, seen, now)
    if due is None or due.state is seen.state:
        return Verdict(None, _next_look(rules, seen, now))
    if not seen.settled or (seen.busy and due.state is State.ASLEEP):
        return Verdict(None, now + BUSY)
    return Verdict(due, _next_look(rules, seen, now))


def next_sleep(rules: Rules, seen: Seen, now: datetime) -> Boundary | None:
    """When it falls asleep next if nobody does anything; None if it does not, or is asleep."""
    if seen.state is State.ASLEEP:
        return None
    ends = [one for one in upcoming(rules, now) if one.state is State.ASLEEP][:1]
    if rules.idle:
        at = max(_idle_from(rules, seen, now) + rules.idle, rules.keep_until or now, now)
        ends.append(Boundary(at, State.ASLEEP, Why.IDLE))
    return min(ends, key=lambda one: one.at, default=None)


def next_waking(rules: Rules, now: datetime) -> datetime | None:
    """When its hours wake it next."""
    return next((one.at for one in upcoming(rules, now) if one.state is State.AWAKE), None)


def upcoming(rules: Rules, now: datetime) -> Sequence[Boundary]:
    """The boundaries after `now`, the next first; those that a longer stay covers are left out."""
    found = _boundaries(rules, now, now + HORIZON)
    kept = rules.keep_until
    if kept is None or kept <= now:
        return found
    left = [one for one in found if one.at > kept or one.state is State.AWAKE]
    if _is_quiet_at(rules, kept):
        left.append(Boundary(kept, State.ASLEEP, Why.KEPT))
    return sorted(left, key=lambda one: one.at)


def _due(rules: Rules, seen: Seen, now: datetime) -> Boundary | None:
    """What counts at `now`: idleness, or the latest boundary if no wish came after it."""
    is_kept = rules.keep_until is not None and now < rules.keep_until
    if rules.idle and seen.state is State.AWAKE and not is_kept:
        ends = _idle_from(rules, seen, now) + rules.idle
        if now >= ends:
            return Boundary(ends, State.ASLEEP, Why.IDLE)
    last = _last(rules, now)
    if last is None or last.at <= seen.wished_at or (is_kept and last.state is State.ASLEEP):
        return None
    return last


def _last(rules: Rules, now: datetime) -> Boundary | None:
    """The latest boundary that is over; the end of a longer stay is one if it is at rest then."""
    past = _boundaries(rules, now - HORIZON, now)
    last = past[-1] if past else None
    kept = rules.keep_until
    over = kept is not None and kept <= now and (last is None or kept > last.at)
    if kept and over and _is_quiet_at(rules, kept):
        return Boundary(kept, State.ASLEEP, Why.KEPT)
    return last


def _idle_from(rules: Rules, seen: Seen, now: datetime) -> datetime:
    """From when on it is unused: its hours' beginning counts as a use, and so does a wish."""
    last = _last(rules, now)
    began = [last.at] if last and last.state is State.AWAKE else []
    return max(seen.used_at, seen.wished_at, *began)


def _next_look(rules: Rules, seen: Seen, now: datetime) -> datetime:
    looks = [now + LONGEST_LOOK, *(one.at for one in upcoming(rules, now)[:1])]
    if rules.idle and seen.state is State.AWAKE:
        looks.append(_idle_from(rules, seen, now) + rules.idle)
    if rules.keep_until:
        looks.append(rules.keep_until)
    return min(look for look in looks if look > now)


def _is_quiet_at(rules: Rules, at: datetime) -> bool:
    """Whether its hours, if it has any, leave that moment out."""
    inside = any(begins <= at < ends for begins, ends in _spans(rules, at, at))
    return rules.has_hours and not inside


def _boundaries(rules: Rules, after: datetime, until: datetime) -> Sequence[Boundary]:
    """Where hours begin and end, after the one moment and up to the other; touching hours are one.

    Those that go on beyond what is looked at have no boundary there.
    """
    spans = _spans(rules, after, until)
    both = [Boundary(begins, State.AWAKE) for begins, _ in spans]
    both += [Boundary(ends, State.ASLEEP) for _, ends in spans]
    return sorted((one for one in both if after < one.at <= until), key=lambda one: one.at)


def _spans(rules: Rules, after: datetime, until: datetime) -> Sequence[tuple[datetime, datetime]]:
    """Hours in UTC, joined where they touch; days beyond both ends so that none is cut there."""
    if not rules.has_hours:
        return ()
    first = after.astimezone(rules.zone).date() - timedelta(days=3)
    days = (until - after).days + 7
    joined: list[tuple[datetime, datetime]] = []
    for day in (first + timedelta(days=number) for number in range(days)):
        begins, ends = _span(rules, day)
        if joined and begins <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(ends, joined[-1][1]))
        # Hours that lie within the one which the clocks leave out are not there on that day.
        elif begins < ends:
            joined.append((begins, ends))
    return joined


def _span(rules: Rules, day: date) -> tuple[datetime, datetime]:
    """The hours that begin on that day; empty for a day without."""
    hours = rules.hours_of(day)
    if hours is None:
        at = _utc(day, time(), rules.zone)
        return at, at
    last = day if hours.ends > hours.begins else day + timedelta(days=1)
    return _utc(day, hours.begins, rules.zone), _utc(last, hours.ends, rules.zone)


def _utc(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """A time on the wall; of one that comes twice the first, of one left out as much later."""
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
