"""The rule against an oracle that knows nothing of it: the lines are the same however they come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from farm.billing.models import Kind, PriceRow
from farm.billing.rule import Cap, Hour, Prices, Terms, Written, begun_hours, sure_hours
from farm.billing.stays import Stay

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
NEW_YEAR = datetime(2026, 12, 28, 0, 0, tzinfo=UTC)
AGENT = "agent"

minutes = partial(st.integers, 0)


@dataclass(frozen=True, slots=True)
class Life:
    """One machine as it truly was, in minutes after NEW_YEAR; `uid` is its server's."""

    uid: str
    created: int
    served_after: int | None
    let_go_after: int | None
    gone_after: int
    hourly: int
    monthly: int | None

    def seen(self, now: datetime) -> Stay | None:
        """What the farm knows of it at `now`."""
        created = NEW_YEAR + self.created * MINUTE
        if created > now:
            return None
        stay = Stay(self.uid, AGENT, created, known_until=now)
        served = self._at(self.served_after, now)
        let_go = self._at(self.let_go_after, now)
        gone = self._at(self.gone_after, now)
        return replace(
            stay,
            known_until=gone or let_go or now,
            serving_since=served,
            let_go_at=let_go,
            gone_at=gone,
        )

    def _at(self, after: int | None, now: datetime) -> datetime | None:
        if after is None:
            return None
        at = NEW_YEAR + (self.created + after) * MINUTE
        return at if at <= now else None

    def hours(self) -> int:
        """What the cloud counts: started hours."""
        return max(1, -(-self.gone_after // 60))


@st.composite
def lives(draw: st.DrawFn, uid: str) -> Life:
    """A machine of up to six days around the turn of the year, whose caps are soon reached."""
    gone = draw(minutes(6 * 24 * 60)) + 1
    served = draw(st.none() | minutes(gone - 1))
    let_go = draw(st.none() | minutes(gone - 1).map(lambda some: max(some, served or 0)))
    hourly = draw(st.integers(1, 50))
    cap = draw(st.none() | st.integers(1, 60 * hourly))
    return Life(uid, draw(minutes(3 * 24 * 60)), served, let_go, gone, hourly, cap)


several = st.lists(st.integers(0, 2), min_size=1, max_size=3).flatmap(
    lambda some: st.tuples(*(lives(f"s{number}") for number in range(len(some))))
)


def prices_of(machines: Sequence[Life]) -> Prices:
    rows = {}
    for life in machines:
        row = PriceRow(
            server_uid=life.uid,
            kind=Kind.SERVER,
            valid_from=NEW_YEAR,
            hourly_micros=life.hourly,
            monthly_micros=life.monthly,
            currency="EUR",
        )
        rows[life.uid, str(Kind.SERVER)] = [row]
    return rows


def terms_of(machines: Sequence[Life], at_most: int) -> Terms:
    return Terms(prices_of(machines), {AGENT: [Cap(NEW_YEAR, at_most)]})


def metered(machines: Sequence[Life], at_most: int, moments: Sequence[datetime]) -> list[Hour]:
    """What a meter writes that runs at these moments, and starts anew from its lines each time."""
    lines: list[Hour] = []
    for now in moments:
        stays = [seen for machine in machines if (seen := machine.seen(now))]
        lines += sure_hours(stays, terms_of(machines, at_most), _read(lines), now)
    return lines


def _read(lines: Sequence[Hour]) -> Written:
    written = Written()
    for line in lines:
        written.add(line)
    return written


def facts(lines: Sequence[Hour]) -> set[tuple[object, ...]]:
    return {
        (x.stay.server_uid, x.index, x.kind, x.cloud_micros, x.micros, x.cause, x.capped)
        for x in lines
    }


@settings(max_examples=60, deadline=None)
@given(several, st.integers(0, 3_000), st.lists(minutes(12 * 24 * 60), max_size=25))
def test_lines_are_the_same_however_often_and_late_the_meter_runs(
    machines: Sequence[Life], at_most: int, runs: Sequence[int]
) -> None:
    end = NEW_YEAR + timedelta(days=12)
    at_once = metered(machines, at_most, [end])
    moments = [NEW_YEAR + after * MINUTE for after in sorted(runs)]
    now_and_then = metered(machines, at_most, [*moments, end])
    assert facts(now_and_then) == facts(at_once)
    assert len(now_and_then) == len(at_once) == sum(machine.hours() for machine in machines)


@settings(max_examples=60, deadline=None)
@given(several, st.integers(0, 3_000))
def test_lines_are_what_an_oracle_counts(machines: Sequence[Life], at_most: int) -> None:
    lines = metered(machines, at_most, [NEW_YEAR + timedelta(days=12)])
    assert sum(line.cloud_micros for line in lines) == sum(map(invoiced, machines))
    for month in (date(2026, 12, 1), date(2027, 1, 1)):
        charged = sum(line.micros for line in lines if line.month == month)
        assert charged == min(at_most, sum(payable(machine, month) for machine in machines))


@settings(max_examples=60, deadline=None)
@given(several, st.integers(0, 3_000), minutes(8 * 24 * 60))
def test_what_a_page_shows_is_what_the_lines_will_be(
    machines: Sequence[Life], at_most: int, after: int
) -> None:
    now = NEW_YEAR + after * MINUTE
    stays = [seen for machine in machines if (seen := machine.seen(now))]
    known = [replace(stay, known_until=min(now, stay.known_until)) for stay in stays]
    terms = terms_of(machines, at_most)
    shown = sum(hour.micros for hour in begun_hours(known, terms, Written()))
    written = metered(machines, at_most, [now])
    begun = list(begun_hours(known, terms, _read(written)))
    assert sum(line.micros for line in written) + sum(hour.micros for hour in begun) == shown


def invoiced(life: Life) -> int:
    """As the cloud does it: hours by month of UTC, each month at most its price."""
    return sum(_month(life, month, life.hours()) for month in (12, 1))


def payable(life: Life, month: date) -> int:
    """The hours in which its agent was there, of what the cloud charges in that month."""
    if life.served_after is None:
        return 0
    first = life.served_after // 60
    last = life.hours() if life.let_go_after is None else life.let_go_after // 60 + 1
    last = min(last, life.hours())
    before = _month(life, month.month, min(first, last))
    return _month(life, month.month, last) - before


def _month(life: Life, month: int, hours: int) -> int:
    began = [NEW_YEAR + life.created * MINUTE + number * HOUR for number in range(hours)]
    total = sum(life.hourly for one in began if one.month == month)
    return total if life.monthly is None else min(total, life.monthly)
