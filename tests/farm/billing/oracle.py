"""What lines ought to be, counted from the clouds' own words; it knows nothing of the farm's rule.

All moments are whole minutes after BASE, a few days before a new year.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import floor

BASE = datetime(2026, 12, 29, 0, 0, tzinfo=UTC)
HOUR = 60


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a kind costs from a minute on; `anew`: hours and month begin there from the start."""

    since: int
    hourly: int
    monthly: int | None
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Thing:
    """A machine, or the copy of a disk, as it truly was.

    `times` are those for which its cloud charges, by kind; `tariffs` the prices of each kind, the
    first of which also counts before its date. With `beside` it was made ready beside the machine
    that it took over from. Without `joined` it was never anybody's.
    """

    uid: str
    times: Mapping[str, Sequence[tuple[int, int]]]
    tariffs: Mapping[str, Sequence[Tariff]]
    joined: int | None
    served: int | None
    let_go: int | None
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """One hour: when it began, what the cloud takes, what its payer owes unless a cap is reached.

    `why` is whose it is if not the payer's.
    """

    began: int
    cloud: int
    owed: int
    why: str


Key = tuple[str, str, int]
"""Server, kind, number of the hour."""


def month_at(minute: int) -> tuple[int, int]:
    """Year and month of UTC."""
    at = BASE + timedelta(minutes=minute)
    return at.year, at.month


def dues(things: Sequence[Thing]) -> Mapping[Key, Due]:
    """Every hour that there ought to be a line for."""
    return {key: due for thing in things for key, due in _of(thing)}


def bill(found: Mapping[Key, Due], at_most: int) -> Mapping[tuple[int, int], int]:
    """What the agent's payer is charged in each month, never more than was agreed."""
    sums: defaultdict[tuple[int, int], int] = defaultdict(int)
    for due in found.values():
        sums[month_at(due.began)] += due.owed
    return {month: min(at_most, owed) for month, owed in sums.items()}


def _of(thing: Thing) -> Iterator[tuple[Key, Due]]:
    for kind, tariffs in thing.tariffs.items():
        spent: defaultdict[tuple[int, tuple[int, int]], int] = defaultdict(int)
        spread = "snapshot" in thing.tariffs
        for number, (began, place) in enumerate(_hours(thing, kind)):
            why = _why(thing, began)
            tariff = _tariff(tariffs, began)
            segment = sum(one.anew and one.since <= began for one in tariffs), month_at(began)
            due = _price(tariff, began, place, spent[segment], spread=spread)
            if kind == "fee":
                if began < _fee_from(thing):
                    continue
                due = 0 if why else due
            spent[segment] += due
            cloud = 0 if kind == "fee" else due
            yield (thing.uid, kind, number), Due(began, cloud, 0 if why else due, why)


def _hours(thing: Thing, kind: str) -> Iterator[tuple[int, int]]:
    """When each started hour began, and its place in its month, of the time that it is part of."""
    for since, until in thing.times[
        "server" if kind == "fee" and "server" in thing.times else kind
    ]:
        cuts = [one.since for one in thing.tariffs[kind] if one.anew and since < one.since < until]
        for first, last in zip([since, *cuts], [*cuts, until], strict=True):
            places: defaultdict[tuple[int, int], int] = defaultdict(int)
            for began in range(first, max(last, first + 1), HOUR):
                month = month_at(began)
                yield began, places[month]
                places[month] += 1


def _fee_from(thing: Thing) -> int:
    """A fee that was agreed on later than the rest is for hours that begin after that."""
    fee = thing.tariffs["fee"][0].since
    others = [rows[0].since for kind, rows in thing.tariffs.items() if kind != "fee"]
    return fee if fee > min(others) else -(10**9)


def _tariff(tariffs: Sequence[Tariff], began: int) -> Tariff:
    there = [one for one in tariffs if one.since <= began]
    return there[-1] if there else tariffs[0]


def _price(tariff: Tariff, began: int, place: int, spent: int, *, spread: bool) -> int:
    if tariff.monthly is None:
        return tariff.hourly
    if spread:
        of_month = Fraction(tariff.monthly, _hours_of(month_at(began)))
        return _half_up(of_month * (place + 1)) - _half_up(of_month * place)
    return max(0, min(tariff.hourly, tariff.monthly - spent))


def _hours_of(month: tuple[int, int]) -> int:
    year, number = month
    following = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return int((following - datetime(year, number, 1, tzinfo=UTC)).total_seconds()) // 3600


def _half_up(exact: Fraction) -> int:
    return floor(exact + Fraction(1, 2))


def _why(thing: Thing, began: int) -> str:
    """An hour is the payer's if, while it ran, the agent was there and was still wanted there."""
    if thing.joined is None or began + HOUR <= thing.joined:
        return "pool"
    if thing.beside:
        if thing.served is None or began < thing.served:
            return "overlap"
    elif thing.served is None or began + HOUR <= thing.served:
        return "before"
    return "leaving" if thing.let_go is not None and began > thing.let_go else ""
