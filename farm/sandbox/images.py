"""Watching guest images being built beside the services: who asks can see how far they are."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from farm.sandbox.guests.base import GuestError, GuestKind

LOOK_SECONDS = 0.5
REPEAT_SECONDS = 15


class ImageWatch:
    """Which images can be booted, and why one cannot."""

    def __init__(self, guests: GuestKind) -> None:
        self._guests = guests
        self.ready: set[str] = set()
        self.problem = ""

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[ImageWatch]:
        """Follow the building inside, and tell standard error what is new."""
        tasks = [asyncio.create_task(self._follow(image.name)) for image in self._guests.images()]
        tasks.append(asyncio.create_task(self._tell()))
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, name: str) -> None:
        try:
            await self._guests.image_ready(name)
        except GuestError as error:
            self.problem = f"The image {name} is not there: {error}"
            _say(self.problem)
        else:
            self.ready.add(name)

    async def _tell(self) -> None:
        told, at = "", 0.0
        while True:
            line, now = self._guests.progress(), asyncio.get_running_loop().time()
            stage = line.partition(" (")[0]
            if told and not (stage or self.problem):
                _say("The guest image is ready.")
                told = ""
            elif stage and (stage != told or now - at >= REPEAT_SECONDS):
                _say(line)
                told, at = stage, now
            await asyncio.sleep(LOOK_SECONDS)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
