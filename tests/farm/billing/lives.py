"""Random lives of machines and copies: as they truly were, and as the farm knows them by and by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import strategies as st

from farm.billing.models import Kind, PriceRow
from farm.billing.rule import Cap, Terms
from farm.billing.stays import Span, Stay
from tests.farm.billing.oracle import BASE, Tariff, Thing

AGENT = "agent"
LOOK = 11
"""How often the cloud's list is read, in minutes."""
DAY = 24 * 60
LONGEST = 4 * DAY
LAST = 9 * DAY
"""Everything is over by then, and seen to be."""


@dataclass(frozen=True, slots=True)
class Life:
    """What truly was, and what the farm is told of it."""

    thing: Thing
    in_parts: bool = False

    def known(self, now: int) -> Stay | None:
        """As the farm's rows say at that minute; None before it is there."""
        thing, seen = self.thing, now - now % LOOK
        created = min(since for times in thing.times.values() for since, _ in times)
        ended = max(until for times in thing.times.values() for _, until in times)
        if created > now:
            return None
        told = told_of(ended)
        is_gone, is_let_go = told <= now, self._by(thing.let_go, now)
        until = ended if is_gone else max(created, seen)
        if is_let_go is not None and not is_gone and "snapshot" not in thing.tariffs:
            until = is_let_go
        joined = self._by(thing.joined, now)
        return Stay(
            server_uid=thing.uid,
            agent_uid="" if joined is None else AGENT,
            created_at=at(created),
            known_until=at(until),
            serving_since=moment(self._by(thing.served, now)),
            let_go_at=moment(is_let_go),
            gone_at=at(told) if is_gone else None,
            joined_at=moment(joined),
            succeeds=thing.beside,
            spans=self._spans(seen) if self.in_parts else {},
        )

    def rows(self, now: int) -> Mapping[tuple[str, str], Sequence[PriceRow]]:
        """Its dated prices that are written by then; the first are there before it is."""
        return {
            (self.thing.uid, kind): there
            for kind, tariffs in self.thing.tariffs.items()
            if (there := [_row(self.thing.uid, kind, one) for one in tariffs if one.since <= now])
        }

    def _by(self, minute: int | None, now: int) -> int | None:
        return minute if minute is not None and minute <= now else None

    def _spans(self, seen: int) -> Mapping[str, Sequence[Span]]:
        return {
            kind: [
                Span(at(since), at(until), at(told_of(until)))
                if told_of(until) <= seen
                else Span(at(since))
                for since, until in times
                if since <= seen
            ]
            for kind, times in self.thing.times.items()
        }


def at(minute: int) -> datetime:
    """The moment of that minute."""
    return BASE + timedelta(minutes=minute)


def moment(minute: int | None) -> datetime | None:
    """The same where there may be none."""
    return None if minute is None else at(minute)


def told_of(minute: int) -> int:
    """When the next look at the cloud's list shows what happened then."""
    return -(-minute // LOOK) * LOOK


def terms_at(lives: Sequence[Life], at_most: int, now: int) -> Terms:
    """What the farm has written down of prices and of what was agreed."""
    prices = {key: rows for life in lives for key, rows in life.rows(now).items()}
    return Terms(prices, {AGENT: [Cap(at(-DAY), at_most)]})


def _row(uid: str, kind: str, tariff: Tariff) -> PriceRow:
    return PriceRow(
        server_uid=uid,
        kind=Kind(kind),
        valid_from=at(tariff.since),
        hourly_micros=tariff.hourly,
        monthly_micros=tariff.monthly,
        currency="EUR",
        counts_anew=tariff.anew,
    )


@st.composite
def machines(draw: st.DrawFn, uid: str) -> Life:
    """One at Hetzner: on or off it costs, up to a month's price; for somebody, or of the pool."""
    created = draw(st.integers(0, LONGEST))
    ended = created + draw(st.integers(1, LONGEST))
    changes = sorted(draw(st.sets(st.integers(created, ended), max_size=2)) - {created, ended})
    tariffs = {
        "server": _tariffs(draw, created, changes, capped=True),
        "ipv4": _tariffs(draw, created, [], capped=True),
    }
    if draw(st.booleans()):
        tariffs["fee"] = _fee(draw, tariffs["server"])
    times = {kind: [(created, ended)] for kind in ("server", "ipv4")}
    joined, served, let_go = _whose(draw, created, ended)
    beside = joined == created and draw(st.booleans())
    return Life(Thing(uid, times, tariffs, joined, served, let_go, beside))


@st.composite
def parted(draw: st.DrawFn, uid: str) -> Life:
    """One at Scaleway: its compute by the times it is on, its address and disk as they exist."""
    created = told_of(draw(st.integers(0, LONGEST)))
    on, minute = [], created
    for _ in range(draw(st.integers(1, 4))):
        until = minute + draw(st.integers(LOOK + 1, DAY))
        on.append((minute, until))
        minute = until + draw(st.integers(LOOK + 1, DAY))
    ended = on[-1][1] + draw(st.integers(0, DAY))
    times = {"server": on, "ipv4": [(created, ended)], "volume": [(created, ended)]}
    changes = sorted(draw(st.sets(st.integers(created, ended), max_size=2)) - {created, ended})
    tariffs = {
        "server": _tariffs(draw, created, changes, capped=False),
        "ipv4": _tariffs(draw, created, [], capped=False),
        "volume": _tariffs(draw, created, [], capped=False),
    }
    if draw(st.booleans()):
        tariffs["fee"] = _fee(draw, tariffs["server"])
    joined, served, let_go = _whose(draw, created, ended)
    return Life(Thing(uid, times, tariffs, joined, served, let_go), in_parts=True)


@st.composite
def copies(draw: st.DrawFn, uid: str) -> Life:
    """The copy of a sleeping disk at Hetzner: the month's price, shared by its hours."""
    created = draw(st.integers(0, LONGEST))
    ended = created + draw(st.integers(1, LONGEST))
    woken = draw(st.none() | st.integers(created, ended))
    price = Tariff(created, draw(st.integers(1, 9)), draw(st.integers(1, 90_000)))
    tariffs = {"snapshot": [price]}
    if draw(st.booleans()):
        tariffs["fee"] = [Tariff(created, 1, draw(st.integers(1, 9_000)))]
    times = {kind: [(created, ended)] for kind in tariffs}
    return Life(Thing(uid, times, tariffs, created, created, woken))


def _tariffs(
    draw: st.DrawFn, created: int, changes: Sequence[int], *, capped: bool
) -> Sequence[Tariff]:
    """What it costs from the start, and from each change on: of its type, or of its price."""
    found: list[Tariff] = []
    for since in (created, *changes):
        hourly = draw(st.integers(0 if found else 1, 50))
        monthly = draw(st.integers(1, 60 * (hourly + 1))) if capped else None
        anew = bool(found) and capped and draw(st.booleans())
        found.append(Tariff(since, hourly, monthly, anew))
    return found


def _fee(draw: st.DrawFn, of: Sequence[Tariff]) -> Sequence[Tariff]:
    """Pinned with the machine's prices, or only with the second one."""
    first = draw(st.integers(0, min(1, len(of) - 1)))
    hourly = draw(st.integers(0, 9))
    monthly = draw(st.none() | st.integers(1, 300))
    return [Tariff(one.since, hourly, monthly, one.anew) for one in of[first:]]


def _whose(draw: st.DrawFn, created: int, ended: int) -> tuple[int | None, int | None, int | None]:
    """When it was its agent's, when that answered there, and when its removal was ordered."""
    joined = draw(st.sampled_from((created, None)) | st.integers(created, ended))
    if joined is None:
        return None, None, None
    served = draw(st.none() | st.integers(joined, ended))
    let_go = draw(st.none() | st.integers(served or joined, ended))
    return joined, served, let_go


several = st.lists(st.sampled_from((machines, parted, copies)), min_size=1, max_size=4).flatmap(
    lambda made: st.tuples(*(make(f"s{number}") for number, make in enumerate(made)))
)
