"""What the edge was answered lately: an asset of an agent's page asks the database nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from farm.agents.selectors import Way

MOST = 4096


@dataclass(slots=True)
class Remembered:
    """The ways of visitors for `seconds` each, in this process alone. Safe for many threads."""

    seconds: float
    _ways: dict[tuple[str, str], tuple[float, Way]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def way(
        self, cookie_hash: str, host: str, ask: Callable[[], Way | None], *, anew: bool
    ) -> Way | None:
        """The way as it was known a moment ago; asked for when it was not, or `anew`."""
        key, now = (cookie_hash, host), time.monotonic()
        with self._lock:
            until, way = self._ways.get(key, (0.0, None))
        if way and now < until and not anew:
            return way
        found = ask()
        with self._lock:
            if found is None or not found.upstream:
                self._ways.pop(key, None)
            else:
                self._make_room(now)
                self._ways[key] = (now + self.seconds, found)
        return found

    def _make_room(self, now: float) -> None:
        if len(self._ways) < MOST:
            return
        self._ways = {key: kept for key, kept in self._ways.items() if kept[0] > now}
        while len(self._ways) >= MOST:
            self._ways.pop(next(iter(self._ways)))
