"""What each agent cost on each day, as a drawing and as the table that says the same."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import ngettext

from farm.agents.selectors.days import MonthOfDays
from farm.billing.days import DayCost
from farm.web.presenters.statements import euros, month_name

TONES = 6
"""As many agents have a colour of their own; the dearest ones."""
OTHERS = ""
STEP, THICK, HIGH = 10, 8, 1000
"""Of the drawing: from day to day, a column's width, the height of the dearest day."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One agent's part of a day's column, in units of the drawing; `tone` names its colour."""

    tone: int
    x: int
    y: int
    height: int
    said: str


@dataclass(frozen=True, slots=True)
class Series:
    """One agent, or all the others together (uid ""), and what it cost in that month.

    `href` leads to its every hour, "" for the others.
    """

    uid: str
    name: str
    tone: int
    total: str
    href: str


@dataclass(frozen=True, slots=True)
class Cell:
    """What one series cost on one day, "" for nothing; `href` leads to the hours of that."""

    amount: str
    href: str


@dataclass(frozen=True, slots=True)
class DayRow:
    """One day of the table, with a cell for each series."""

    day: str
    cells: tuple[Cell, ...]
    total: str


@dataclass(frozen=True, slots=True)
class ChartWords:
    """A month's chart; `before` and `after` name the months to go on to, "" for none."""

    month: str
    month_name: str
    before: str
    before_name: str
    after: str
    after_name: str
    width: int
    high: int
    thick: int
    most: str
    total: str
    last_day: int
    pieces: tuple[Piece, ...]
    series: tuple[Series, ...]
    rows: tuple[DayRow, ...]


def chart_words(found: MonthOfDays, hours_of: Callable[[str], str]) -> ChartWords:
    """The month's days, the dearest agents first; nothing is drawn where nothing was used.

    `hours_of` is the address of an agent's every hour of that month, by its uid.
    """
    series = _series(found.days, hours_of)
    columns = {one.uid: one for one in series}
    by_day = _by_day(found.days, columns)
    most = max((sum(day.values()) for day in by_day.values()), default=0)
    last = monthrange(found.month.year, found.month.month)[1]
    return ChartWords(
        month=f"{found.month:%Y-%m}",
        month_name=month_name(found.month),
        before=f"{found.before:%Y-%m}" if found.before else "",
        before_name=month_name(found.before) if found.before else "",
        after=f"{found.after:%Y-%m}" if found.after else "",
        after_name=month_name(found.after) if found.after else "",
        width=last * STEP,
        high=HIGH,
        thick=THICK,
        most=euros(most),
        total=euros(sum(one.total for one in found.days)),
        last_day=last,
        pieces=tuple(piece for day in by_day for piece in _column(day, by_day[day], series, most)),
        series=series,
        rows=tuple(_row(day, by_day[day], series) for day in by_day),
    )


def _series(days: Sequence[DayCost], hours_of: Callable[[str], str]) -> tuple[Series, ...]:
    names, totals = dict[str, str](), Counter[str]()
    for one in days:
        names[one.agent_uid] = one.agent_name
        totals[one.agent_uid] += one.total
    ranked = sorted(totals, key=lambda uid: (-totals[uid], names[uid], uid))
    own = ranked if len(ranked) <= TONES else ranked[: TONES - 1]
    found = [
        Series(uid, names[uid], tone, euros(totals[uid]), hours_of(uid))
        for tone, uid in enumerate(own, 1)
    ]
    if rest := ranked[len(own) :]:
        text = ngettext("%(n)s other agent", "%(n)s other agents", len(rest))
        total = euros(sum(totals[uid] for uid in rest))
        found.append(Series(OTHERS, text % {"n": len(rest)}, TONES, total, ""))
    return tuple(found)


def _by_day(days: Sequence[DayCost], columns: Mapping[str, Series]) -> Mapping[date, Counter[str]]:
    """Micro-units by day and series, the earliest day first."""
    found: dict[date, Counter[str]] = {}
    for one in days:
        uid = one.agent_uid if one.agent_uid in columns else OTHERS
        found.setdefault(one.day, Counter())[uid] += one.total
    return found


def _column(
    day: date, costs: Mapping[str, int], series: Sequence[Series], most: int
) -> Sequence[Piece]:
    """From the bottom up; sums are rounded, not heights: pieces neither gape nor overlap."""
    pieces, so_far = [], 0
    for one in series:
        micros = costs.get(one.uid, 0)
        if micros <= 0:
            continue
        below, above = _height(so_far, most), _height(so_far + micros, most)
        said = f"{date_format(day, 'j F')}, {one.name}: {euros(micros)}"
        x = (day.day - 1) * STEP + (STEP - THICK) // 2
        pieces.append(Piece(one.tone, x, HIGH - above, above - below, said))
        so_far += micros
    return pieces


def _height(micros: int, most: int) -> int:
    return round(micros * HIGH / most)


def _row(day: date, costs: Mapping[str, int], series: Sequence[Series]) -> DayRow:
    cells = tuple(_cell(day, costs.get(one.uid, 0), one) for one in series)
    return DayRow(date_format(day, "j F"), cells, euros(sum(costs.values())))


def _cell(day: date, micros: int, series: Series) -> Cell:
    if not micros:
        return Cell("", "")
    return Cell(euros(micros), f"{series.href}?day={day:%Y-%m-%d}" if series.href else "")
