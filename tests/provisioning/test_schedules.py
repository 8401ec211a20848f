"""Working hours, quiet days, longer stays and idleness: what each wants, by every clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as some

from provisioning.schedules import (
    HORIZON,
    LONGEST_LOOK,
    Boundary,
    Hours,
    Rules,
    Seen,
    State,
    Why,
    decide,
    next_sleep,
    next_waking,
    upcoming,
)

PARIS = ZoneInfo("Europe/Paris")
WORK = Hours(time(8), time(20))
WEEKDAYS = Rules(PARIS, week=(WORK, WORK, WORK, WORK, WORK, None, None))
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = ("Europe/Paris", "America/St_Johns", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Tokyo")


def paris(text: str) -> datetime:
    """A time on the wall in Paris."""
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


def seen(state: State = State.AWAKE, **more: datetime) -> Seen:
    """An agent that nothing else is done with, last used and wished long ago."""
    times = {"wished_at": LONG_AGO, "used_at": LONG_AGO, **more}
    return Seen(state, settled=True, busy=False, **times)


def wanted(rules: Rules, how: Seen, at: str) -> State | None:
    """What the rules want of it at a time on the wall in Paris."""
    due = decide(rules, how, paris(at)).due
    return due.state if due else None


def test_hours_wake_and_put_to_sleep() -> None:
    monday, asleep = "2026-11-23", seen(State.ASLEEP)
    assert wanted(WEEKDAYS, asleep, f"{monday} 07:59") is None
    assert wanted(WEEKDAYS, asleep, f"{monday} 08:00") is State.AWAKE
    assert wanted(WEEKDAYS, seen(), f"{monday} 19:59") is None
    assert wanted(WEEKDAYS, seen(), f"{monday} 20:00") is State.ASLEEP


def test_a_night_and_a_weekend_have_no_hours() -> None:
    assert wanted(WEEKDAYS, seen(), "2026-11-28 12:00") is State.ASLEEP
    assert wanted(WEEKDAYS, seen(State.ASLEEP), "2026-11-28 12:00") is None
    assert next_waking(WEEKDAYS, paris("2026-11-27 21:00")) == paris("2026-11-30 08:00")


def test_hours_may_go_on_after_midnight() -> None:
    night = Rules(PARIS, week=(Hours(time(22), time(6)),) + (None,) * 6)
    assert wanted(night, seen(State.ASLEEP), "2026-11-23 23:00") is State.AWAKE
    assert wanted(night, seen(), "2026-11-24 05:59") is None
    assert wanted(night, seen(), "2026-11-24 06:00") is State.ASLEEP


def test_on_a_quiet_day_no_hours_begin() -> None:
    rules = replace(WEEKDAYS, quiet=frozenset({date(2026, 12, 25)}))
    assert wanted(rules, seen(State.ASLEEP), "2026-12-25 12:00") is None
    assert next_waking(rules, paris("2026-12-24 21:00")) == paris("2026-12-28 08:00")


def test_quiet_days_alone_are_taken_from_whole_ones() -> None:
    rules = Rules(PARIS, quiet=frozenset({date(2026, 12, 24), date(2026, 12, 25)}))
    assert wanted(rules, seen(), "2026-12-23 23:59") is None
    assert wanted(rules, seen(), "2026-12-24 00:00") is State.ASLEEP
    assert wanted(rules, seen(State.ASLEEP), "2026-12-25 23:59") is None
    assert wanted(rules, seen(State.ASLEEP), "2026-12-26 00:00") is State.AWAKE


def test_a_wish_at_night_lasts_until_the_next_quiet_boundary() -> None:
    woken = seen(wished_at=paris("2026-11-23 22:00"), used_at=paris("2026-11-23 22:00"))
    assert wanted(WEEKDAYS, woken, "2026-11-23 23:00") is None
    assert wanted(WEEKDAYS, woken, "2026-11-24 09:00") is None
    assert wanted(WEEKDAYS, woken, "2026-11-24 20:00") is State.ASLEEP


def test_a_wish_at_night_ends_when_it_is_idle() -> None:
    rules = replace(WEEKDAYS, idle=timedelta(hours=2))
    woken = seen(wished_at=paris("2026-11-23 22:00"))
    assert wanted(rules, woken, "2026-11-23 23:59") is None
    assert wanted(rules, woken, "2026-11-24 00:00") is State.ASLEEP


def test_who_puts_it_to_sleep_by_day_has_it_asleep_until_tomorrow() -> None:
    slept = seen(State.ASLEEP, wished_at=paris("2026-11-23 10:00"))
    assert wanted(WEEKDAYS, slept, "2026-11-23 19:00") is None
    assert wanted(WEEKDAYS, slept, "2026-11-24 08:00") is State.AWAKE


def test_a_longer_stay_comes_before_hours_and_idleness() -> None:
    rules = replace(WEEKDAYS, idle=timedelta(hours=1), keep_until=paris("2026-11-24 02:00"))
    assert wanted(rules, seen(), "2026-11-23 23:00") is None
    ends = next_sleep(rules, seen(), paris("2026-11-23 23:00"))
    assert ends == Boundary(paris("2026-11-24 02:00"), State.ASLEEP, Why.KEPT)
    assert wanted(rules, seen(), "2026-11-24 02:00") is State.ASLEEP


def test_the_end_of_a_longer_stay_wakes_nobody() -> None:
    rules = replace(WEEKDAYS, keep_until=paris("2026-11-23 10:00"))
    slept = seen(State.ASLEEP, wished_at=paris("2026-11-23 09:00"))
    assert wanted(rules, slept, "2026-11-23 10:30") is None


def test_idleness_counts_from_its_last_use() -> None:
    rules = Rules(PARIS, idle=timedelta(hours=3))
    used = seen(used_at=paris("2026-11-23 12:00"))
    verdict = decide(rules, used, paris("2026-11-23 14:30"))
    assert (verdict.due, verdict.look_at) == (None, paris("2026-11-23 15:00"))
    assert wanted(rules, used, "2026-11-23 15:00") is State.ASLEEP
    assert wanted(rules, seen(State.ASLEEP), "2026-11-23 15:00") is None


def test_idleness_begins_anew_with_the_working_hours() -> None:
    rules = replace(WEEKDAYS, idle=timedelta(hours=1))
    at_night = seen(used_at=paris("2026-11-24 07:30"), wished_at=paris("2026-11-24 07:30"))
    assert wanted(rules, at_night, "2026-11-24 08:45") is None
    assert wanted(rules, at_night, "2026-11-24 09:00") is State.ASLEEP


def test_nothing_is_cut_off_in_a_turn_or_in_another_change() -> None:
    for held in (replace(seen(), busy=True), replace(seen(), settled=False)):
        verdict = decide(WEEKDAYS, held, paris("2026-11-23 20:00"))
        assert verdict.due is None
        assert verdict.look_at < paris("2026-11-23 20:05")
    waking = replace(seen(State.ASLEEP), busy=True)
    assert wanted(WEEKDAYS, waking, "2026-11-23 08:00") is State.AWAKE


def test_after_a_long_absence_only_the_last_boundary_counts() -> None:
    friday = paris("2026-11-20 12:00")
    due = decide(WEEKDAYS, seen(State.AWAKE, wished_at=friday), paris("2026-11-25 23:00")).due
    assert due == Boundary(paris("2026-11-25 20:00"), State.ASLEEP)
    assert decide(WEEKDAYS, seen(wished_at=friday), paris("2026-11-25 10:00")).due is None


def test_around_the_clock_there_is_no_boundary() -> None:
    always = Rules(PARIS, week=(Hours(time(), time()),) * 7)
    assert not upcoming(always, paris("2026-11-23 12:00"))
    assert wanted(always, seen(State.ASLEEP), "2026-11-23 12:00") is None


def test_the_clock_on_the_wall_counts_when_clocks_change() -> None:
    for day in ("2026-03-28", "2026-10-24"):
        every = Rules(PARIS, week=(WORK,) * 7)
        ends = [one.at.astimezone(PARIS).hour for one in upcoming(every, paris(f"{day} 07:00"))]
        assert set(ends[::2]) == {8}
        assert set(ends[1::2]) == {20}


def test_hours_in_the_hour_that_is_left_out_come_later_or_not_at_all() -> None:
    begins = paris("2026-03-28 12:00")
    early = Rules(PARIS, week=(Hours(time(2, 10), time(2, 50)),) * 7)
    first, last = upcoming(early, begins)[:2]
    assert first.at.astimezone(PARIS) == paris("2026-03-29 03:10")
    assert last.at - first.at == timedelta(minutes=40)
    up_to_three = Rules(PARIS, week=(Hours(time(2, 10), time(3)),) * 7)
    assert upcoming(up_to_three, begins)[0].at == paris("2026-03-30 02:10")


FIRST, LAST = (datetime.fromisoformat(day) for day in ("2026-01-01", "2027-12-31"))
clocks = some.builds(time, some.integers(0, 23), some.sampled_from([0, 15, 30, 59]))
hours = some.none() | some.builds(Hours, clocks, clocks)
moments = some.datetimes(FIRST, LAST, timezones=some.just(UTC))
rules_of_all_sorts = some.builds(
    Rules,
    zone=some.sampled_from(ZONES).map(ZoneInfo),
    week=some.tuples(*[hours] * 7),
    quiet=some.frozensets(some.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=4),
    keep_until=some.none() | moments,
    idle=some.none() | some.sampled_from([timedelta(hours=1), timedelta(hours=30)]),
)


@given(rules_of_all_sorts, moments)
def test_boundaries_come_in_order_and_change_the_state(rules: Rules, now: datetime) -> None:
    found = upcoming(replace(rules, keep_until=None), now)
    assert all(now < one.at <= now + HORIZON for one in found)
    for one, after in pairwise(found):
        assert one.at < after.at
        assert one.state is not after.state


@given(rules_of_all_sorts, moments, some.sampled_from(State), moments)
def test_what_was_done_is_not_done_again(
    rules: Rules, now: datetime, state: State, used_at: datetime
) -> None:
    """Of any state and however late: one change settles it, and the next look is ahead."""
    first = decide(rules, seen(state, used_at=min(used_at, now)), now)
    assert now < first.look_at <= now + LONGEST_LOOK
    if first.due is None:
        return
    changed = Seen(first.due.state, settled=True, busy=False, wished_at=now, used_at=now)
    assert decide(rules, changed, now).due is None


@given(rules_of_all_sorts, moments, moments)
def test_nothing_is_put_to_sleep_while_it_is_to_be_kept(
    rules: Rules, now: datetime, keep_until: datetime
) -> None:
    kept = replace(rules, keep_until=keep_until)
    due = decide(kept, seen(), now).due
    assert now >= keep_until or due is None


@given(rules_of_all_sorts, moments)
def test_whoever_looks_in_time_misses_no_boundary(rules: Rules, now: datetime) -> None:
    """From look to look, the state is what the last boundary made of it."""
    plain = replace(rules, keep_until=None, idle=None)
    ahead = upcoming(plain, now)
    how, at = seen(State.ASLEEP, wished_at=now), now
    for _ in range(60):
        verdict = decide(plain, how, at)
        if verdict.due:
            how = replace(how, state=verdict.due.state, wished_at=at)
        past = [one for one in ahead if one.at <= at]
        assert how.state is (past[-1].state if past else State.ASLEEP)
        at = verdict.look_at
