"""The one rule by which machines cost: started hours, the cloud's cap, what an agent may cost.

Pure: stays, prices and what was written before go in, hours come out in the order in which they
become sure. The same hours come out however often, late or in how many pieces it is asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import zip_longest

from farm.billing.charging import hetzner, scaleway
from farm.billing.models import Cause, Kind, PriceRow
from farm.billing.stays import HOUR, Slot, Stay


@dataclass(frozen=True, slots=True)
class Hour:
    """One started hour of one kind: what the cloud charges, and the payer's part of it.

    To the payer, the price and the month of the moment `began_at` it belongs. `count` is how often
    the cloud had begun to count that server anew by then; `capped`, whether the month's price was
    reached. The farm's fee is the payer's alone.
    """

    stay: Stay
    index: int
    began_at: datetime
    kind: Kind
    price: PriceRow
    count: int
    cloud_micros: int
    micros: int
    capped: bool
    cause: Cause | None

    @property
    def month(self) -> date:
        """The first day of the month it counts in."""
        return month_of(self.began_at)

    @property
    def due(self) -> int:
        """What of the month's price it uses up."""
        return due_of(self.kind, self.cloud_micros, self.micros)


@dataclass(frozen=True, slots=True)
class Cap:
    """What an agent may cost in a calendar month at most, from a moment on."""

    valid_from: datetime
    monthly_micros: int


@dataclass(slots=True)
class Written:
    """What lines there are: the next index by server and kind, and what months add up to.

    `due` is by server, kind, count and month, `charged` by agent and month.
    """

    next_index: dict[tuple[str, str], int] = field(default_factory=dict)
    due: defaultdict[tuple[str, str, int, date], int] = field(
        default_factory=lambda: defaultdict(int)
    )
    charged: defaultdict[tuple[str, date], int] = field(default_factory=lambda: defaultdict(int))

    def add(self, hour: Hour) -> None:
        """One more hour is written; of a server and kind they come in order."""
        uid = hour.stay.server_uid
        self.next_index[uid, hour.kind] = hour.index + 1
        self.due[uid, hour.kind, hour.count, hour.month] += hour.due
        self.charged[hour.stay.agent_uid, hour.month] += hour.micros


Prices = Mapping[tuple[str, str], Sequence[PriceRow]]
"""By server and kind, the earliest first."""
Caps = Mapping[str, Sequence[Cap]]
"""By agent, the earliest first; what has none may cost anything."""


SPREAD = frozenset({Kind.SNAPSHOT})
"""What has a price for a month that its hours share evenly, and no hourly one that it caps."""


def month_of(at: datetime) -> date:
    """The calendar month of UTC in which the clouds count an hour that begins at `at`."""
    return at.astimezone(UTC).date().replace(day=1)


def begin_of(month: date) -> datetime:
    """Its first moment."""
    return datetime.combine(month, time(), tzinfo=UTC)


def next_month(month: date) -> date:
    """The first day of the month after."""
    return (month + timedelta(days=31)).replace(day=1)


def due_of(kind: str, cloud_micros: int, micros: int) -> int:
    """What of a month's price lines with these sums used up: of the fee it is what was taken."""
    return micros if kind == Kind.FEE else cloud_micros


@dataclass(frozen=True, slots=True)
class Terms:
    """By what hours are charged: dated prices of servers, dated caps of agents."""

    prices: Prices
    caps: Caps


def sure_hours(
    stays: Sequence[Stay], terms: Terms, written: Written, now: datetime
) -> Iterator[Hour]:
    """Hours not yet written about which nothing can change any more; `written` is kept up."""
    counted = as_counted(stays, terms.prices)
    until: defaultdict[str, datetime] = defaultdict(lambda: now)
    for stay in counted:
        if stay.gone_at is None:
            # What may still become known of it comes after this, and takes its place in the order.
            until[stay.charged_as] = min(until[stay.charged_as], stay.unknown_from())
    for stay, slot, kind in _in_order(counted, terms.prices, written):
        if slot.sure_at < until[stay.charged_as]:
            yield _charge(stay, slot, kind, terms, written)


def begun_hours(stays: Sequence[Stay], terms: Terms, written: Written) -> Iterator[Hour]:
    """Every hour not yet written that has begun, as it will be if its machine goes on serving."""
    counted = as_counted(stays, terms.prices)
    for stay, slot, kind in _in_order(counted, terms.prices, written):
        yield _charge(stay, slot, kind, terms, written)


def as_counted(stays: Sequence[Stay], prices: Prices) -> Sequence[Stay]:
    """The stays with the moments from which their clouds count anew, as their prices say."""
    return [replace(stay, anew=_anew(stay.server_uid, prices)) for stay in stays]


def count_of(rows: Sequence[PriceRow], at: datetime) -> int:
    """How often the cloud had begun to count anew by then."""
    return sum(row.counts_anew and row.valid_from <= at for row in rows)


def _anew(server_uid: str, prices: Prices) -> Mapping[str, Sequence[datetime]]:
    return {
        kind: moments
        for kind in Kind
        if (rows := prices.get((server_uid, kind)))
        and (moments := [row.valid_from for row in rows if row.counts_anew])
    }


def _in_order(
    stays: Sequence[Stay], prices: Prices, written: Written
) -> Sequence[tuple[Stay, Slot, Kind]]:
    hours = [
        (stay, slot, kind)
        for stay in stays
        for since in (_fee_since(stay.server_uid, prices),)
        for kind in Kind
        if (stay.server_uid, kind) in prices
        for slot in stay.slots(kind, written.next_index.get((stay.server_uid, kind), 0))
        if kind is not Kind.FEE or slot.began_at >= (since or slot.began_at)
    ]
    return sorted(hours, key=_place)


def _fee_since(server_uid: str, prices: Prices) -> datetime | None:
    """From when on a fee is taken, where that was first agreed on later than the rest."""
    firsts = {kind: rows[0].valid_from for kind in Kind if (rows := prices.get((server_uid, kind)))}
    fee = firsts.pop(Kind.FEE, None)
    return fee if fee and firsts and fee > min(firsts.values()) else None


def _place(hour: tuple[Stay, Slot, Kind]) -> tuple[datetime, str, int, bool, str]:
    """In the order in which they become sure; the fee last, so that it takes what is left."""
    stay, slot, kind = hour
    return slot.sure_at, stay.server_uid, slot.index, kind is Kind.FEE, kind


def _charge(stay: Stay, slot: Slot, kind: Kind, terms: Terms, written: Written) -> Hour:
    """The cloud takes what is left of the machine's month, a payer what is left of the agent's."""
    uid, began = stay.server_uid, slot.began_at
    rows, month = terms.prices[uid, kind], month_of(began)
    price, count, cause = _valid_at(rows, began), count_of(rows, began), stay.cause(began)
    spread = (uid, Kind.SNAPSHOT) in terms.prices
    due = _next_hour(price, slot, written.due[uid, kind, count, month], spread=spread)
    capped = not spread and due < price.hourly_micros
    micros = 0
    if cause is None:
        at_most = _at_most(terms.caps.get(stay.agent_uid, ()), began)
        left = due if at_most is None else at_most - written.charged[stay.agent_uid, month]
        micros = max(0, min(due, left))
        cause = Cause.OVER_CAP if micros < due else None
    # The farm takes no fee of itself, and what it does not take is no cost.
    cloud = 0 if kind is Kind.FEE else due
    hour = Hour(stay, slot.index, began, kind, price, count, cloud, micros, capped, cause)
    written.add(hour)
    return hour


def _next_hour(price: PriceRow, slot: Slot, so_far: int, *, spread: bool) -> int:
    """One more hour by the rules of the cloud whose price this is: only Hetzner's have a month's.

    The fee follows them as a price of its own.
    """
    if price.monthly_micros is None:
        return scaleway.period(price.hourly_micros)
    if spread:
        return _share(price.monthly_micros, slot)
    return hetzner.capped_hour(price.hourly_micros, price.monthly_micros, so_far)


def _share(monthly_micros: int, slot: Slot) -> int:
    month = month_of(slot.began_at)
    begin = begin_of(month)
    hours = (begin_of(next_month(month)) - begin) // HOUR
    number = (slot.began_at - max(begin, slot.since)) // HOUR
    return hetzner.shared_hour(monthly_micros, number, hours)


def _at_most(caps: Sequence[Cap], at: datetime) -> int | None:
    """The highest that was in force in that month until then: an hour paid is not given back."""
    begin = begin_of(month_of(at))
    ends = [cap.valid_from for cap in caps[1:]]
    valid = [
        cap.monthly_micros
        for cap, end in zip_longest(caps, ends)
        if cap.valid_from <= at and (end is None or end > begin)
    ]
    # The first word also counts for moments before it.
    return max(valid or [cap.monthly_micros for cap in caps[:1]], default=None)


def _valid_at(rows: Sequence[PriceRow], at: datetime) -> PriceRow:
    """The row in force at `at`; the first also counts for the moments before it was written."""
    return next((row for row in reversed(rows) if row.valid_from <= at), rows[0])
