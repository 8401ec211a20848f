"""What a machine must cost by its times and prices alone: the meter's sums, done a second time.

Pure, and on purpose not the meter's rule: whole runs of hours are multiplied where the meter goes
hour by hour, so that a fault in either shows as a difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo

from farm.billing.models import Kind, PriceRow

HOUR = timedelta(hours=1)
NOT_BY_THE_HOUR = frozenset({Kind.FEE, Kind.TRAFFIC})
"""What is no cloud's price for an hour of a thing."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A machine or a copy of a disk, as its row tells.

    `times` by kind are those for which a cloud charges that part apart; without any it is charged
    for all of it from `since` to `until`, None while it is there. `name` is what its cloud calls
    it, and `cloud_ids` are its parts' ids there. What is `waiting` is not known well enough yet.
    """

    uid: str
    name: str
    provider: str
    group: str
    since: datetime
    until: datetime | None
    times: Mapping[str, Sequence[tuple[datetime, datetime | None]]] = field(default_factory=dict)
    cloud_ids: frozenset[str] = frozenset()
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """Started hours, and what they cost in micro-units."""

    hours: int = 0
    micros: int = 0

    def plus(self, other: Tally) -> Tally:
        """Both."""
        return Tally(self.hours + other.hours, self.micros + other.micros)

    def less(self, other: Tally) -> Tally:
        """Without the other."""
        return Tally(self.hours - other.hours, self.micros - other.micros)


@dataclass(frozen=True, slots=True)
class _Run:
    """Hours in a row of one month at one price."""

    month: date
    price: PriceRow
    count: int
    hours: int


def expected(
    thing: Thing, kind: Kind, prices: Sequence[PriceRow], until: datetime, zone: tzinfo = UTC
) -> Mapping[date, Tally]:
    """What its hours of that kind that begin before `until` cost, by the months of `zone`.

    `prices` are that kind's rows of it, the earliest first, one at least.
    """
    found: defaultdict[date, Tally] = defaultdict(Tally)
    spent: defaultdict[tuple[int, date], Tally] = defaultdict(Tally)
    for since, hours in _times(thing, kind, prices, until):
        for run in _runs(since, hours, prices, zone):
            before = spent[run.count, run.month]
            cost = Tally(run.hours, _cost(kind, run, before, zone))
            spent[run.count, run.month] = before.plus(cost)
            found[run.month] = found[run.month].plus(cost)
    return found


def month_begins(month: date, zone: tzinfo = UTC) -> datetime:
    """Its first moment there."""
    return datetime(month.year, month.month, 1, tzinfo=zone).astimezone(UTC)


def month_after(month: date) -> date:
    """The first day of the next month."""
    return (month.replace(day=1) + timedelta(days=31)).replace(day=1)


def _times(
    thing: Thing, kind: Kind, prices: Sequence[PriceRow], until: datetime
) -> Iterator[tuple[datetime, int]]:
    """When each time began, and how many of its hours begin before `until`."""
    apart = thing.times.get(kind, ()) if thing.times else ((thing.since, None),)
    anew = [row.valid_from for row in prices if row.counts_anew]
    for since, end in apart:
        last = end or thing.until
        cuts = [at for at in anew if since < at and (last is None or at < last)]
        for begin, stop in zip([since, *cuts], [*cuts, last], strict=True):
            there = _begun(begin, until)
            if there:
                yield begin, there if stop is None else min(there, max(1, _begun(begin, stop)))


def _begun(since: datetime, until: datetime) -> int:
    return max(0, -((since - until) // HOUR))


def _runs(since: datetime, hours: int, prices: Sequence[PriceRow], zone: tzinfo) -> Iterator[_Run]:
    done = 0
    while done < hours:
        began = since + done * HOUR
        month = began.astimezone(zone).date().replace(day=1)
        past = [row for row in prices if row.valid_from <= began]
        ends = [row.valid_from for row in prices if row.valid_from > began]
        stop = min([month_begins(month_after(month), zone), *ends])
        many = min(hours - done, _begun(began, stop))
        count = sum(row.counts_anew for row in past)
        yield _Run(month, past[-1] if past else prices[0], count, many)
        done += many


def _cost(kind: Kind, run: _Run, before: Tally, zone: tzinfo) -> int:
    monthly = run.price.monthly_micros
    if monthly is None:
        return run.hours * run.price.hourly_micros
    if kind is Kind.SNAPSHOT:
        length = (
            month_begins(month_after(run.month), zone) - month_begins(run.month, zone)
        ) // HOUR
        return _part(monthly, before.hours + run.hours, length) - _part(
            monthly, before.hours, length
        )
    return max(0, min(run.hours * run.price.hourly_micros, monthly - before.micros))


def _part(monthly: int, hours: int, length: int) -> int:
    """So many hours of a month's price, half a millionth up."""
    return (2 * monthly * hours + length) // (2 * length)
