"""The clock runs as fast as it is told, and never backwards."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from farm.sandbox.clock import Clock


def test_tells_utc() -> None:
    before = datetime.now(UTC)
    assert before <= Clock().now() <= datetime.now(UTC)


def test_starts_ahead() -> None:
    assert Clock(ahead=timedelta(hours=2)).now() > datetime.now(UTC) + timedelta(hours=1)


def test_sleeps_an_hour_at_once_when_fast() -> None:
    clock = Clock(speed=1_000_000)
    began = clock.now()
    asyncio.run(clock.sleep(3600))
    assert clock.now() - began >= timedelta(hours=1)


@pytest.mark.parametrize("hurry", ["speed", "jump"])
def test_a_sleeper_notices_that_time_runs_faster(hurry: str) -> None:
    async def sleep_through() -> None:
        clock = Clock()
        sleeper = asyncio.create_task(clock.sleep(86_400))
        await asyncio.sleep(0)
        if hurry == "speed":
            clock.set_speed(1_000_000)
        else:
            clock.advance(timedelta(days=1))
        await asyncio.wait_for(sleeper, 30)

    asyncio.run(sleep_through())


def test_slower_again_is_not_backwards() -> None:
    clock = Clock(speed=1_000_000)
    fast = clock.now()
    clock.set_speed(1)
    assert clock.now() >= fast


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf"), 1e9])
def test_refuses_a_speed_that_is_none(speed: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Clock().set_speed(speed)
    with pytest.raises(ValueError, match="back"):
        Clock().advance(timedelta(seconds=-1))
