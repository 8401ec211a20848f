"""Where two books disagree: lines and machines, lines and clouds, lines and ledger. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from farm.billing.expected import NOT_BY_THE_HOUR, Tally, Thing, expected, month_after, month_begins
from farm.billing.models import Kind, PriceRow
from farm.billing.reconciliation_rows import Side

Prices = Mapping[tuple[str, str], Sequence[PriceRow]]
"""By uid and kind, the earliest first."""
Key = tuple[str, str, date]
"""Uid, kind, first day of the month."""
Sums = Mapping[Key, Tally]


@dataclass(frozen=True, slots=True)
class Charge:
    """What a cloud charges for one kind of one thing of ours in a month, as it says itself.

    `uid` is whose it is, "" for what cannot be told; then `resource` is the cloud's word for it.
    `step_micros` is how finely the amount is known.
    """

    resource: str
    uid: str
    kind: str
    month: date
    hours: int | None
    micros: int
    step_micros: int = 1


@dataclass(frozen=True, slots=True)
class Charged:
    """A month of a cloud's charges, up to `until`; while it `goes_on` some may come late."""

    provider: str
    month: date
    until: datetime
    charges: tuple[Charge, ...]
    goes_on: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether nothing of that month is missing."""
        return self.until >= month_begins(month_after(self.month))


@dataclass(frozen=True, slots=True)
class Gap:
    """A difference: what our lines say, and what they were held against."""

    side: Side
    provider: str
    subject: str
    kind: str
    month: date
    ours: Tally
    other: Tally
    other_hours: int | None


def must_be(
    things: Iterable[Thing], prices: Prices, since: datetime, until: datetime
) -> dict[Key, Tally]:
    """What hours of these things that begin from `since` and before `until` must come to."""
    found: dict[Key, Tally] = {}
    for thing in things:
        for kind in kinds_of(thing, prices):
            rows = prices[thing.uid, kind]
            before = expected(thing, kind, rows, since)
            for month, tally in expected(thing, kind, rows, until).items():
                new = tally.less(before.get(month, Tally()))
                if new.hours:
                    found[thing.uid, kind, month] = new
    return found


def kinds_of(thing: Thing, prices: Prices) -> Sequence[Kind]:
    """For what of it a cloud has a price by the hour."""
    return [kind for kind in Kind if kind not in NOT_BY_THE_HOUR and prices.get((thing.uid, kind))]


def against_inventory(things: Collection[Thing], lines: Sums, due: Sums) -> Iterator[Gap]:
    """Lines that are missing, too many or of another amount, and those of no known machine."""
    known = {thing.uid: thing for thing in things}
    held = {thing.group for thing in things if thing.waiting}
    for key in sorted({*lines, *due}):
        uid, kind, month = key
        ours, other = lines.get(key, Tally()), due.get(key, Tally())
        thing = known.get(uid)
        if ours == other or (thing and thing.group in held) or kind in NOT_BY_THE_HOUR:
            continue
        provider = thing.provider if thing else ""
        yield Gap(Side.INVENTORY, provider, uid, kind, month, ours, other, other.hours)


def against_cloud(things: Collection[Thing], ours: Sums, charged: Charged) -> Iterator[Gap]:
    """What that cloud charges otherwise than our books say, thing by thing and kind by kind.

    `ours` are sums of that month up to `charged.until`. Addresses of which the cloud does not say
    whose they are, are held against all of ours that it names none for.
    """
    known = {thing.uid: thing for thing in things if thing.provider == charged.provider}
    held = {thing.group for thing in things if thing.waiting}
    theirs = _by_thing(charged.charges)
    mine = {
        (uid, kind): sum_ for (uid, kind, month), sum_ in ours.items() if month == charged.month
    }
    mine = {key: tally for key, tally in mine.items() if key[0] in known and key[1] != Kind.FEE}
    if ("", Kind.IPV4) in theirs:
        mine = _unnamed_addresses(mine, theirs)
    for uid, kind in sorted({*mine, *theirs}):
        thing = known.get(uid)
        if thing and thing.group in held and not charged.is_whole:
            continue
        tally, found = mine.get((uid, kind), Tally()), theirs.get((uid, kind), _NOTHING)
        if not found.agrees(tally, at_most=charged.goes_on):
            subject = uid or found.resource or charged.provider
            other = Tally(found.hours or 0, found.micros)
            side, provider = Side.CLOUD, charged.provider
            yield Gap(side, provider, subject, kind, charged.month, tally, other, found.hours)


@dataclass(frozen=True, slots=True)
class _Theirs:
    """All that a cloud charges for one kind of one thing."""

    resource: str
    hours: int | None
    micros: int
    slack: int
    """By how many micros rounding alone may part the books, doubled."""

    def agrees(self, ours: Tally, *, at_most: bool) -> bool:
        """Whether they are the same, or may yet become so."""
        if at_most:
            return 2 * (self.micros - ours.micros) <= self.slack
        return 2 * abs(ours.micros - self.micros) <= self.slack


_NOTHING = _Theirs("", None, 0, 0)


def _by_thing(charges: Iterable[Charge]) -> dict[tuple[str, str], _Theirs]:
    """Summed by thing and kind; what is nobody's by its own name, addresses all together."""
    grouped: defaultdict[tuple[str, str], list[Charge]] = defaultdict(list)
    for charge in charges:
        unnamed = charge.kind == Kind.IPV4 or charge.uid
        grouped[charge.uid if unnamed else charge.resource, charge.kind].append(charge)
    return {key: _together(found) for key, found in grouped.items()}


def _together(charges: Sequence[Charge]) -> _Theirs:
    hours = [charge.hours for charge in charges]
    return _Theirs(
        resource=charges[0].resource if len(charges) == 1 else "",
        hours=None if None in hours else sum(hour or 0 for hour in hours),
        micros=sum(charge.micros for charge in charges),
        slack=sum(charge.step_micros for charge in charges if charge.step_micros > 1),
    )


def _unnamed_addresses(
    mine: Mapping[tuple[str, str], Tally], theirs: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Tally]:
    rest, named = Tally(), dict[tuple[str, str], Tally]()
    for key, tally in mine.items():
        if key[1] == Kind.IPV4 and key not in theirs:
            rest = rest.plus(tally)
        else:
            named[key] = tally
    return {**named, ("", str(Kind.IPV4)): rest}
