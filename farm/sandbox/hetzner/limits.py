"""The request budget of a project: 3,600 at once, and one more every second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, floor

CAPACITY = 3600
REFILL_PER_SECOND = 1.0


@dataclass(slots=True)
class Budget:
    """A bucket of requests; `since` is when `left` was right."""

    since: datetime
    left: float = CAPACITY

    def take(self, now: datetime) -> bool:
        """Take one request out of the bucket, or answer that it is empty."""
        passed = max(0.0, (now - self.since).total_seconds())
        self.left = min(CAPACITY, self.left + passed * REFILL_PER_SECOND)
        self.since = now
        if self.left < 1:
            return False
        self.left -= 1
        return True

    def headers(self) -> Mapping[str, str]:
        """The official three; the reset is when the bucket will be full again."""
        full = self.since + timedelta(seconds=(CAPACITY - self.left) / REFILL_PER_SECOND)
        return {
            "RateLimit-Limit": str(CAPACITY),
            "RateLimit-Remaining": str(floor(self.left)),
            "RateLimit-Reset": str(ceil(full.timestamp())),
        }
