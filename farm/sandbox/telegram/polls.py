"""Who is waiting for a bot's updates: one at a time, as Telegram has it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


class ConflictError(Exception):
    """Another poller took over this bot."""


@dataclass(slots=True)
class _Poll:
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    taken_over: bool = False


class Polls:
    """The open long polls of all bots."""

    def __init__(self) -> None:
        self._open: dict[int, _Poll] = {}
        self._closed = False

    async def wait(self, bot: int, seconds: float) -> None:
        """Until somebody wrote to the bot or the time is over; an older poll of it is ended.

        ConflictError when a newer one ends this.
        """
        poll = self._replace(bot)
        try:
            if not self._closed:
                await asyncio.wait_for(poll.woken.wait(), seconds)
        except TimeoutError:
            return
        finally:
            if self._open.get(bot) is poll:
                del self._open[bot]
        if poll.taken_over:
            raise ConflictError

    def take_over(self, bot: int) -> None:
        """End an open poll of the bot, because another request for its updates came."""
        if poll := self._open.pop(bot, None):
            poll.taken_over = True
            poll.woken.set()

    def is_open(self, bot: int) -> bool:
        """Whether somebody waits for the bot's updates."""
        return bot in self._open

    def wake(self, bot: int) -> None:
        """Somebody wrote to the bot."""
        if poll := self._open.get(bot):
            poll.woken.set()

    def close(self) -> None:
        """Let all of them go: the service stops."""
        self._closed = True
        for poll in self._open.values():
            poll.woken.set()

    def _replace(self, bot: int) -> _Poll:
        self.take_over(bot)
        poll = _Poll()
        self._open[bot] = poll
        return poll
