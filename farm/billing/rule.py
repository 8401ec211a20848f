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
class Stay:
    """A machine's time at its cloud, as far as it is known.

    It surely existed until `known_until`; with `gone_at` (when the farm saw it gone) that is its
    end. The agent `agent_uid` ("" for none) answered on it from `serving_since` until its removal
    was ordered at `let_go_at`: those started hours are its payer's, the others the farm's. All
    machines of an agent cost its payer `at_most_micros` in a calendar month, and no more.
    """

    server_uid: str
    agent_uid: str
    at_most_micros: int
    created_at: datetime
    known_until: datetime
    serving_since: datetime | None = None
    let_go_at: datetime | None = None
    gone_at: datetime | None = None

    @property
    def charged_as(self) -> str:
        """Whose cap it counts in: the agent's over all its machines."""
        return self.agent_uid or self.server_uid

    @property
    def ends(self) -> bool:
        """Whether it is gone, or its removal is under way."""
        return self.gone_at is not None or self.let_go_at is not None

    @property
    def last_index(self) -> int:
        """The last hour that surely began; an end on the hour begins no new one."""
        began = self.known_until - self.created_at
        if self.gone_at is not None:
            return max(0, -(-began // HOUR) - 1)
        return max(0, began // HOUR)

    def began(self, index: int) -> datetime:
        """When that hour began."""
        return self.created_at + index * HOUR

    def sure_at(self, index: int) -> datetime:
        """From when on all is known about that hour: its end, or the machine's."""
        end = self.began(index + 1)
        return end if self.gone_at is None else min(end, max(self.gone_at, self.began(index)))

    def cause(self, index: int) -> Cause | None:
        """Why that hour is the farm's; None for its payer's."""
        began = self.began(index)
        if not self.agent_uid:
            return Cause.NOBODY
        if self.serving_since is None or self.began(index + 1) <= self.serving_since:
            return Cause.BEFORE
        return Cause.LEAVING if self.let_go_at and began > self.let_go_at else None


@dataclass(frozen=True, slots=True)
class Hour:
    """One started hour of one kind: what the cloud charges, and the payer's part of it."""

    stay: Stay
    index: int
    kind: Kind
    price: PriceRow
    cloud_micros: int
    micros: int
    cause: Cause | None

    @property
    def began_at(self) -> datetime:
        """When it began: to this moment's payer, price and month it belongs."""
        return self.stay.began(self.index)

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
            unknown = stay.began(stay.last_index + 2)
            until[stay.charged_as] = min(until[stay.charged_as], unknown)
    for sure_at, stay, index, kind in _in_order(stays, prices, written):
        if sure_at < until[stay.charged_as]:
            yield _charge(stay, index, kind, prices, written)


def begun_hours(stays: Sequence[Stay], prices: Prices, written: Written) -> Iterator[Hour]:
    """Every hour not yet written that has begun, as it will be if its machine goes on serving."""
    for _, stay, index, kind in _in_order(stays, prices, written):
        yield _charge(stay, index, kind, prices, written)


def _in_order(
    stays: Sequence[Stay], prices: Prices, written: Written
) -> Sequence[tuple[datetime, Stay, int, Kind]]:
    hours = [
        (stay.sure_at(index), stay, index, kind)
        for stay in stays
        for kind in Kind
        if (stay.server_uid, kind) in prices
        for index in range(written.next_index.get((stay.server_uid, kind), 0), stay.last_index + 1)
    ]
    return sorted(hours, key=lambda hour: (hour[0], hour[1].server_uid, hour[2], hour[3]))


def _charge(stay: Stay, index: int, kind: Kind, prices: Prices, written: Written) -> Hour:
    """The cloud takes what is left of the machine's month, a payer what is left of the agent's."""
    price = _valid_at(prices[stay.server_uid, kind], stay.began(index))
    month = month_of(stay.began(index))
    of_server, of_agent = (stay.server_uid, kind, month), (stay.agent_uid, month)
    cloud = _next_hour(price, written.cloud[of_server])
    cause, micros = stay.cause(index), 0
    if cause is None:
        micros = min(cloud, max(0, stay.at_most_micros - written.charged[of_agent]))
        cause = Cause.OVER_CAP if micros < cloud else None
    written.cloud[of_server] += cloud
    written.charged[of_agent] += micros
    written.next_index[stay.server_uid, kind] = index + 1
    return Hour(stay, index, kind, price, cloud, micros, cause)


def _next_hour(price: PriceRow, so_far: int) -> int:
    """One more hour at that price, or what is left of its month."""
    if price.monthly_micros is None:
        return price.hourly_micros
    return max(0, min(price.hourly_micros, price.monthly_micros - so_far))


def _valid_at(rows: Sequence[PriceRow], at: datetime) -> PriceRow:
    """The row in force at `at`; the first also counts for the moments before it was written."""
    return next((row for row in reversed(rows) if row.valid_from <= at), rows[0])
