"""The operator's morning in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext, ngettext

from farm.agents.selectors.morning import Fleet, Morning, NightLine, Todo


@dataclass(frozen=True, slots=True)
class NightWords:
    """One line of what happened."""

    at: datetime
    what: str
    whom: str


@dataclass(frozen=True, slots=True)
class MorningWords:
    """What the page shows, in its order; `fine` is one grey line."""

    todos: Sequence[Todo]
    fine: str
    fleet: Fleet
    night: Sequence[NightWords]


def morning_words(told: Morning) -> MorningWords:
    """The page's words."""
    return MorningWords(
        todos=told.todos,
        fine="" if told.todos else gettext("Nothing is to be done."),
        fleet=told.fleet,
        night=[_line(line) for line in told.night],
    )


def _line(line: NightLine) -> NightWords:
    others = line.agents - 1
    more = ngettext("%(name)s and %(number)d other", "%(name)s and %(number)d others", others)
    whom = more % {"name": line.name, "number": others} if others else line.name
    return NightWords(at=line.last_at, what=str(line.sentence.what), whom=whom)
