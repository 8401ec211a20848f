"""What every dialect's answer can do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from farm.sandbox.wire import JsonObject


class Speech(Protocol):
    """One answer in a provider's words."""

    def whole(self) -> JsonObject:
        """As one object."""

    def frames(self) -> Iterator[str]:
        """As server-sent events."""
