"""Asking the database from the event loop: in threads, each with a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connection, connections

Result = TypeVar("Result")
Given = ParamSpec("Given")
PLACES = 8


class Database:
    """A few threads that outlive the calls; `close` ends them."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(PLACES, "database")

    async def ask(
        self, question: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
    ) -> Result:
        """What the function answers, from a thread with a living connection."""
        loop = asyncio.get_running_loop()
        asked = partial(question, *args, **kwargs)
        return await loop.run_in_executor(self._threads, _connected, asked)

    def close(self) -> None:
        """End the threads and their connections."""
        # Nobody goes on before all have come, so that each thread closes its own.
        together = Barrier(PLACES)
        for _ in range(PLACES):
            self._threads.submit(_disconnect, together)
        self._threads.shutdown()


def _disconnect(together: Barrier) -> None:
    together.wait()
    connections.close_all()


def _connected(asked: Callable[[], Result]) -> Result:
    # A file of SQLite's does not hang up, and opening it anew at each question takes long.
    if connection.vendor != "sqlite":
        close_old_connections()
    return asked()
