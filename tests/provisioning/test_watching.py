"""What is tried for a silent agent, and when people are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from provisioning.watching import LONGEST_PATIENCE, Patience, Silence, is_to_restart, is_to_tell

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PATIENCE = Patience()


def silence(*, restarts: int = 0, told: bool = False, restarted: datetime | None = None) -> Silence:
    return Silence(since=NOON, restarts=restarts, last_restart_at=restarted, told=told)


def test_a_hiccup_is_no_reason_for_a_restart() -> None:
    assert not is_to_restart(silence(), NOON + PATIENCE.hiccup / 2, PATIENCE)
    assert is_to_restart(silence(), NOON + PATIENCE.hiccup, PATIENCE)


def test_a_restart_gets_its_time_and_each_in_vain_doubles_it() -> None:
    once = silence(restarts=1, restarted=NOON)
    assert not is_to_restart(once, NOON + PATIENCE.restart * 0.9, PATIENCE)
    assert is_to_restart(once, NOON + PATIENCE.restart, PATIENCE)
    thrice = silence(restarts=3, restarted=NOON, told=True)
    assert not is_to_restart(thrice, NOON + PATIENCE.restart * 3.9, PATIENCE)
    assert is_to_restart(thrice, NOON + PATIENCE.restart * 4, PATIENCE)


def test_the_farm_never_stops_trying() -> None:
    often = silence(restarts=500, restarted=NOON, told=True)
    assert is_to_restart(often, NOON + PATIENCE.restart * LONGEST_PATIENCE, PATIENCE)


def test_people_are_told_once_after_the_restarts_in_vain() -> None:
    later = NOON + timedelta(days=1)
    assert not is_to_tell(silence(restarts=1, restarted=NOON), later, PATIENCE)
    twice = silence(restarts=2, restarted=NOON)
    assert not is_to_tell(twice, NOON + PATIENCE.restart / 2, PATIENCE)
    assert is_to_tell(twice, NOON + PATIENCE.restart, PATIENCE)
    assert not is_to_tell(silence(restarts=9, restarted=NOON, told=True), later, PATIENCE)
