"""Where a cloud's month ends and how it rounds, as its invoice tells: by which guess sums agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo

from farm.billing.expected import Thing, expected, month_after, month_begins
from farm.billing.models import Kind
from farm.billing.reconciling import Charge, Prices

ZONES: Sequence[tuple[str, tzinfo]] = (("UTC", UTC), ("Europe/Berlin", ZoneInfo("Europe/Berlin")))
"""Of this farm's clouds one has its seat in Germany and one in France, which share their time."""


class Rounding(StrEnum):
    """What becomes of what is finer than an invoice shows."""

    HALF_UP = "half up"
    UP = "up"
    DOWN = "down"

    def apply(self, micros: int, step: int) -> int:
        """The amount in whole steps."""
        match self:
            case Rounding.HALF_UP:
                return (2 * micros + step) // (2 * step) * step
            case Rounding.UP:
                return -(-micros // step) * step
            case Rounding.DOWN:
                return micros // step * step


@dataclass(frozen=True, slots=True)
class Guess:
    """A way to read a month: of so many sums, `agree` come to what the invoice says."""

    zone: str
    rounding: Rounding
    agree: int
    sums: int

    @property
    def fits(self) -> bool:
        """Whether every sum agrees."""
        return self.agree == self.sums


@dataclass(frozen=True, slots=True)
class _Sum:
    """All that is charged for one kind of one thing in a month."""

    thing: Thing
    kind: Kind
    month: date
    micros: int
    step: int
    rows: int


def guesses(
    charges: Iterable[Charge], things: Mapping[str, Thing], prices: Prices, until: datetime | None
) -> Sequence[Guess]:
    """Each way to read it, the assumed one first: months of UTC, half up."""
    sums = list(_sums(charges, things, prices))
    return [
        Guess(
            name,
            rounding,
            sum(_agrees(one, prices, zone, rounding, until) for one in sums),
            len(sums),
        )
        for rounding in Rounding
        for name, zone in ZONES
    ]


def _sums(charges: Iterable[Charge], things: Mapping[str, Thing], prices: Prices) -> Iterator[_Sum]:
    grouped: defaultdict[tuple[str, str, date], list[Charge]] = defaultdict(list)
    for charge in charges:
        thing = things.get(charge.uid)
        if thing and not thing.waiting and prices.get((charge.uid, charge.kind)):
            grouped[charge.uid, charge.kind, charge.month].append(charge)
    for (uid, kind, month), found in grouped.items():
        yield _Sum(
            thing=things[uid],
            kind=Kind(kind),
            month=month,
            micros=sum(one.micros for one in found),
            step=max(one.step_micros for one in found),
            rows=len(found),
        )


def _agrees(
    one: _Sum, prices: Prices, zone: tzinfo, rounding: Rounding, until: datetime | None
) -> bool:
    end = month_begins(month_after(one.month), zone)
    rows = prices[one.thing.uid, one.kind]
    cost = expected(one.thing, one.kind, rows, min(end, until or end), zone).get(one.month)
    exact = cost.micros if cost else 0
    if one.rows == 1:
        return rounding.apply(exact, one.step) == one.micros
    # Each of its rows was rounded, and which part of the sum each is, the invoice does not say.
    return abs(exact - one.micros) < one.step * one.rows if one.step > 1 else exact == one.micros
