"""The one rule by which machines cost: started hours, the cloud's cap, what an agent may cost.

Pure: stays, prices and what was written before go in, hours come out in the order in which they
become sure. The same hours come out however often, late or in how many pieces it is asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from farm.billing.models import Cause, Kind, PriceRow

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A time for which a cloud charges for one kind; its end was known to the farm at `told_at`."""

    since: datetime
    until: datetime | None = None
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """One started hour of a kind: its number, when it began, from when on all of it is known."""

    index: int
    began_at: datetime
    sure_at: datetime


@dataclass(frozen=True, slots=True)
class Stay:
    """A machine's time at its cloud, as far as it is known.

    It surely existed until `known_until`; with `gone_at` (when the farm saw it gone) that is its
    end. The agent `agent_uid` ("" for none) answered on it from `serving_since` until its removal
    was ordered at `let_go_at`: those started hours are its payer's, the others the farm's. All
    machines of an agent cost its payer `at_most_micros` in a calendar month, and no more. Where a
    cloud charges for a machine's parts apart, `spans` tells by kind for which times, in order.
    """

    server_uid: str
    agent_uid: str
    at_most_micros: int
    created_at: datetime
    known_until: datetime
    serving_since: datetime | None = None
    let_go_at: datetime | None = None
    gone_at: datetime | None = None
    spans: Mapping[str, Sequence[Span]] = field(default_factory=dict)

    @property
    def charged_as(self) -> str:
        """Whose cap it counts in: the agent's over all its machines."""
        return self.agent_uid or self.server_uid

    @property
    def ends(self) -> bool:
        """Whether it is gone, or its removal is under way."""
        return self.gone_at is not None or self.let_go_at is not None

    def hours_begun(self, kind: str) -> int:
        """How many hours of that kind surely began."""
        return sum(self._hours_in(span) for span in self._charged(kind))

    def slots(self, kind: str, first: int = 0) -> Iterator[Slot]:
        """Its begun hours of that kind from number `first` on, counted through all its spans."""
        before = 0
        for span in self._charged(kind):
            count = self._hours_in(span)
            for number in range(max(0, first - before), count):
                began = span.since + number * HOUR
                yield Slot(before + number, began, self._sure_at(span, began))
            before += count

    def unknown_from(self) -> datetime:
        """No hour that becomes known later is sure before this; only while it is there."""
        ends = [
            span.since + (self._hours_in(span) + 1) * HOUR
            for kind in (self.spans or Kind)
            for span in self._charged(kind)
            if span.until is None
        ]
        # What was switched off may have been on again since it was last seen.
        return min([*ends, self.known_until + HOUR] if self.spans else ends)

    def cause(self, began: datetime) -> Cause | None:
        """Why the hour that began then is the farm's; None for its payer's."""
        if not self.agent_uid:
            return Cause.NOBODY
        if self.serving_since is None or began + HOUR <= self.serving_since:
            return Cause.BEFORE
        return Cause.LEAVING if self.let_go_at and began > self.let_go_at else None

    def _charged(self, kind: str) -> Sequence[Span]:
        """Where nothing is told of parts, all of it is charged for from its creation to its end."""
        return self.spans.get(kind, ()) if self.spans else (Span(self.created_at),)

    def _hours_in(self, span: Span) -> int:
        """Hours that surely began; an end on the hour begins no new one, and one is the least."""
        if span.until is None and self.gone_at is None:
            return max(0, (self.known_until - span.since) // HOUR) + 1
        return max(1, -(-((span.until or self.known_until) - span.since) // HOUR))

    def _sure_at(self, span: Span, began: datetime) -> datetime:
        """The hour's end, or when its machine or this part of it was known to have ended."""
        end, told = began + HOUR, span.told_at or self.gone_at
        return end if told is None else min(end, max(told, began))


@dataclass(frozen=True, slots=True)
class Hour:
    """One started hour of one kind: what the cloud charges, and the payer's part of it.

    To the payer, the price and the month of the moment `began_at` it belongs.
    """

    stay: Stay
    index: int
    began_at: datetime
    kind: Kind
    price: PriceRow
    cloud_micros: int
    micros: int
    cause: Cause | None

    @property
    def month(self) -> date:
        """The first day of the month it counts in."""
        return month_of(self.began_at)

    @property
    def capped(self) -> bool:
        """Whether the cloud's monthly price was reached."""
        return self.cloud_micros < self.price.hourly_micros


@dataclass(slots=True)
class Written:
    """What lines there are: the next index by server and kind, and what months add up to.

    `cloud` is by server, kind and month, `charged` by agent and month.
    """

    next_index: dict[tuple[str, str], int] = field(default_factory=dict)
    cloud: defaultdict[tuple[str, str, date], int] = field(default_factory=lambda: defaultdict(int))
    charged: defaultdict[tuple[str, date], int] = field(default_factory=lambda: defaultdict(int))


Prices = Mapping[tuple[str, str], Sequence[PriceRow]]
"""By server and kind, the earliest first."""


def month_of(at: datetime) -> date:
    """The calendar month of UTC in which the clouds count an hour that begins at `at`."""
    return at.astimezone(UTC).date().replace(day=1)


def sure_hours(
    stays: Sequence[Stay], prices: Prices, written: Written, now: datetime
) -> Iterator[Hour]:
    """Hours not yet written about which nothing can change any more; `written` is kept up."""
    until: defaultdict[str, datetime] = defaultdict(lambda: now)
    for stay in stays:
        if stay.gone_at is None:
            # What may still become known of it comes after this, and takes its place in the order.
            until[stay.charged_as] = min(until[stay.charged_as], stay.unknown_from())
    for stay, slot, kind in _in_order(stays, prices, written):
        if slot.sure_at < until[stay.charged_as]:
            yield _charge(stay, slot, kind, prices, written)


def begun_hours(stays: Sequence[Stay], prices: Prices, written: Written) -> Iterator[Hour]:
    """Every hour not yet written that has begun, as it will be if its machine goes on serving."""
    for stay, slot, kind in _in_order(stays, prices, written):
        yield _charge(stay, slot, kind, prices, written)


def _in_order(
    stays: Sequence[Stay], prices: Prices, written: Written
) -> Sequence[tuple[Stay, Slot, Kind]]:
    hours = [
        (stay, slot, kind)
        for stay in stays
        for kind in Kind
        if (stay.server_uid, kind) in prices
        for slot in stay.slots(kind, written.next_index.get((stay.server_uid, kind), 0))
    ]
    return sorted(
        hours, key=lambda hour: (hour[1].sure_at, hour[0].server_uid, hour[1].index, hour[2])
    )


def _charge(stay: Stay, slot: Slot, kind: Kind, prices: Prices, written: Written) -> Hour:
    """The cloud takes what is left of the machine's month, a payer what is left of the agent's."""
    price = _valid_at(prices[stay.server_uid, kind], slot.began_at)
    month = month_of(slot.began_at)
    of_server, of_agent = (stay.server_uid, kind, month), (stay.agent_uid, month)
    cloud = _next_hour(price, written.cloud[of_server])
    cause, micros = stay.cause(slot.began_at), 0
    if cause is None:
        micros = min(cloud, max(0, stay.at_most_micros - written.charged[of_agent]))
        cause = Cause.OVER_CAP if micros < cloud else None
    written.cloud[of_server] += cloud
    written.charged[of_agent] += micros
    written.next_index[stay.server_uid, kind] = slot.index + 1
    return Hour(stay, slot.index, slot.began_at, kind, price, cloud, micros, cause)


def _next_hour(price: PriceRow, so_far: int) -> int:
    """One more hour at that price, or what is left of its month."""
    if price.monthly_micros is None:
        return price.hourly_micros
    return max(0, min(price.hourly_micros, price.monthly_micros - so_far))


def _valid_at(rows: Sequence[PriceRow], at: datetime) -> PriceRow:
    """The row in force at `at`; the first also counts for the moments before it was written."""
    return next((row for row in reversed(rows) if row.valid_from <= at), rows[0])
