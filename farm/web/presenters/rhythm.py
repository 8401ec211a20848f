"""When an agent sleeps by itself, in words, and the form in which that is set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import gettext

from farm.agents.selectors.schedules import Rhythm, Why

WARNED = timedelta(hours=2)
"""How long before it falls asleep its page says so."""


@dataclass(frozen=True, slots=True)
class RhythmWords:
    """`line` says when it falls asleep or wakes next, "" where nothing does that by itself.

    `warning` is that it is about to; `kept` until when it is kept awake, `trouble` why the last
    change could not be made; each "" where there is nothing to say.
    """

    line: str
    warning: str
    kept: str
    trouble: str
    is_set: bool


@dataclass(frozen=True, slots=True)
class DayField:
    """One weekday of the form, with what stands in it and what is wrong with it."""

    number: int
    name: str
    begins: str
    ends: str
    error: str


def rhythm_words(rhythm: Rhythm, now: datetime) -> RhythmWords:
    """The machine's card and the page's warning."""
    return RhythmWords(
        line=_line(rhythm, now),
        warning=_warning(rhythm, now),
        kept=_at(rhythm.keep_until, rhythm, now) if rhythm.keep_until else "",
        trouble=rhythm.trouble,
        is_set=rhythm.is_set,
    )


def day_fields(hours: Sequence[tuple[str, str]], errors: Sequence[str]) -> tuple[DayField, ...]:
    """The seven rows of the form, from Monday on."""
    return tuple(
        DayField(day, str(WEEKDAYS[day]).capitalize(), begins, ends, error)
        for day, ((begins, ends), error) in enumerate(zip(hours, errors, strict=True))
    )


def _line(rhythm: Rhythm, now: datetime) -> str:
    if rhythm.wakes_at:
        return gettext("Its hours wake it %(at)s.") % {"at": _at(rhythm.wakes_at, rhythm, now)}
    if rhythm.sleeps is None:
        return ""
    at = _at(rhythm.sleeps.at, rhythm, now)
    if rhythm.sleeps.why is Why.IDLE:
        return gettext("Unused as now, it falls asleep %(at)s.") % {"at": at}
    return gettext("It falls asleep %(at)s.") % {"at": at}


def _warning(rhythm: Rhythm, now: datetime) -> str:
    return _line(rhythm, now) if rhythm.sleeps_within(WARNED, now) else ""


def _at(at: datetime, rhythm: Rhythm, now: datetime) -> str:
    """Today at 20:00, tomorrow at 08:00, on 24 December at 20:00: by its schedule's clock."""
    zone = ZoneInfo(rhythm.zone)
    there, today = at.astimezone(zone), now.astimezone(zone).date()
    clock = f"{there:%H:%M}"
    if there.date() == today:
        return gettext("at %(clock)s") % {"clock": clock}
    if there.date() == today + timedelta(days=1):
        return gettext("tomorrow at %(clock)s") % {"clock": clock}
    day = date_format(there, "MONTH_DAY_FORMAT")
    return gettext("on %(day)s at %(clock)s") % {"day": day, "clock": clock}
