"""The sandbox's one clock: UTC, and as fast as a test wants it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta


class Clock:
    """Time of the outside world. At speed 60 a minute passes in a second; it never runs backwards.

    `ahead` is how much later than the machine's own time the sandbox is when it starts.
    """

    def __init__(self, *, speed: float = 1.0, ahead: timedelta = timedelta()) -> None:
        self._speed = _checked(speed)
        self._real = datetime.now(UTC)
        self._shown = self._real + ahead
        self._changed = asyncio.Event()

    @property
    def speed(self) -> float:
        """Seconds that pass here in one second of the machine."""
        return self._speed

    @property
    def ahead(self) -> timedelta:
        """How much later it is here than on the machine."""
        return self.now() - datetime.now(UTC)

    def now(self) -> datetime:
        """The time here, aware, in UTC."""
        return self._shown + (datetime.now(UTC) - self._real) * self._speed

    def set_speed(self, speed: float) -> None:
        """From now on time passes `speed` times as fast; ValueError unless it is above zero."""
        checked = _checked(speed)
        self._shown, self._real = self.now(), datetime.now(UTC)
        self._speed = checked
        self._wake_sleepers()

    def advance(self, by: timedelta) -> None:
        """Jump ahead at once; ValueError for a jump back."""
        if by < timedelta():
            raise ValueError("The clock cannot go back: give a duration of zero or more seconds.")
        self._shown += by
        self._wake_sleepers()

    async def sleep(self, seconds: float) -> None:
        """Wait until `seconds` have passed here, also when the speed changes meanwhile."""
        until = self.now() + timedelta(seconds=seconds)
        while (left := (until - self.now()).total_seconds()) > 0:
            await self._wait_for_change(left / self._speed)
        await asyncio.sleep(0)

    async def _wait_for_change(self, real_seconds: float) -> None:
        try:
            await asyncio.wait_for(self._changed.wait(), real_seconds)
        except TimeoutError:
            return

    def _wake_sleepers(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _checked(speed: float) -> float:
    if not 0 < speed <= 1_000_000:
        raise ValueError("The clock's speed is a number above 0 and up to 1000000; 1 is real time.")
    return speed
