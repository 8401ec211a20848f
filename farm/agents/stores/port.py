"""What the farm asks of a place that keeps sealed backups."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class Found:
    """Something that is kept: its name there, and when it was written."""

    place: str
    written_at: datetime


class Store(Protocol):
    """Keeps sealed files under names such as "agent/backup.age".

    Every method raises Transient with code "store_unreachable" while the store does not work.
    """

    name: str

    def put(self, place: str, sealed: BinaryIO, *, size: int, sha256: str) -> None:
        """Keep it whole or not at all; `sha256` is in hex."""

    def read(self, place: str) -> AbstractContextManager[BinaryIO]:
        """What is kept there; Rejected with code "backup_gone" if nothing is."""

    def delete(self, place: str) -> None:
        """Have nothing there any more; content if there is nothing."""

    def found(self) -> Iterator[Found]:
        """Everything that is kept or half kept."""
