"""A machine that becomes other types, against an oracle: one server ended and another begun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from farm.billing.models import Kind, PriceRow
from farm.billing.rule import Cap, Hour, Terms, Written, sure_hours
from farm.billing.stays import Stay

MINUTE = timedelta(minutes=1)
LATE = datetime(2026, 12, 28, 0, 0, tzinfo=UTC)
minutes = partial(st.integers, 0)


@dataclass(frozen=True, slots=True)
class Tariff:
    """What it was from a minute after its creation on, and what that cost."""

    since: int
    hourly: int
    monthly: int | None


@dataclass(frozen=True, slots=True)
class Life:
    """Minutes after LATE, and its types in order."""

    gone: int
    types: tuple[Tariff, ...]

    def terms(self, now: int) -> Terms:
        """The prices that the farm has written down by then."""
        rows = [
            PriceRow(
                pk=number,
                server_uid="s",
                kind=Kind.SERVER,
                valid_from=LATE + one.since * MINUTE,
                hourly_micros=one.hourly,
                monthly_micros=one.monthly,
                counts_anew=number > 0,
            )
            for number, one in enumerate(self.types)
            if one.since <= now
        ]
        return Terms({("s", Kind.SERVER): rows}, {"agent": [Cap(LATE, 10**9)]})

    def stay(self, now: int) -> Stay:
        """What is known of it then."""
        known = LATE + min(now, self.gone) * MINUTE
        gone = known if now >= self.gone else None
        return Stay("s", "agent", LATE, known, serving_since=LATE, gone_at=gone)

    def invoiced(self) -> int:
        """Each type by its own started hours and its own month, as the sandbox has it."""
        ends = [one.since for one in self.types[1:]] + [self.gone]
        return sum(map(_tariff, self.types, ends))


def _tariff(tariff: Tariff, end: int) -> int:
    began = LATE + tariff.since * MINUTE
    hours = [began + n * 60 * MINUTE for n in range(max(1, -(-(end - tariff.since) // 60)))]
    by_month = [sum(at.month == month for at in hours) * tariff.hourly for month in (12, 1)]
    return sum(by_month if tariff.monthly is None else (min(x, tariff.monthly) for x in by_month))


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Up to three resizes in six days around the turn of the year."""
    gone = draw(minutes(6 * 24 * 60)) + 1
    moments = draw(st.lists(minutes(gone - 1).filter(bool), max_size=3, unique=True))
    prices = st.tuples(st.integers(1, 50), st.none() | st.integers(1, 900))
    return Life(gone, tuple(Tariff(at, *draw(prices)) for at in [0, *sorted(moments)]))


def metered(life: Life, moments: Sequence[int]) -> list[Hour]:
    lines: list[Hour] = []
    for now in moments:
        written = Written()
        for line in lines:
            written.add(line)
        at = LATE + now * MINUTE
        lines += sure_hours([life.stay(now)], life.terms(now), written, at)
    return lines


@settings(max_examples=80, deadline=None)
@given(lives(), st.lists(minutes(7 * 24 * 60), max_size=25))
def test_each_type_costs_its_own_hours_however_the_meter_runs(
    life: Life, runs: Sequence[int]
) -> None:
    at_once, now_and_then = (metered(life, [*some, 9_000_000]) for some in ((), sorted(runs)))
    assert sum(line.cloud_micros for line in at_once) == life.invoiced()
    assert _facts(now_and_then) == _facts(at_once)
    assert [line.index for line in now_and_then] == list(range(len(at_once)))


def _facts(lines: Sequence[Hour]) -> list[tuple[object, ...]]:
    return [(x.index, x.began_at, x.price.pk, x.cloud_micros, x.micros, x.capped) for x in lines]
