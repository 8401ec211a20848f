"""The clouds that the contract is tried on, each with the levers its tests pull."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from farm.sandbox.wire import JsonObject
from provisioning.hetzner import Hetzner
from provisioning.provider import Provider
from tests.provisioning.memory import MemoryProvider
from tests.sandbox.hetzner.cloud_at_work import CloudAtWork, cloud_at_work


class Subject(Protocol):
    """A provider, and what can be done to the cloud behind it."""

    @property
    def provider(self) -> Provider:
        """The provider on trial."""

    def sell_out(self, server_type: str, location: str) -> None:
        """That type is not to be had there any more."""

    def limit(self, servers: int) -> None:
        """The account may hold no more than these."""

    def lose_answer_to_create(self) -> None:
        """The next order has its effect, and its answer never comes."""


@dataclass(frozen=True, slots=True)
class InMemory:
    """The provider of the engine's tests."""

    provider: MemoryProvider

    def sell_out(self, server_type: str, location: str) -> None:
        """See Subject."""
        self.provider.sold_out.add((server_type, location))

    def limit(self, servers: int) -> None:
        """See Subject."""
        self.provider.limit = servers

    def lose_answer_to_create(self) -> None:
        """See Subject."""
        self.provider.lose_answer("create")


@dataclass(frozen=True, slots=True)
class AtHetzner:
    """The Hetzner adapter with its real SDK, over HTTP against the sandbox's cloud."""

    provider: Hetzner
    at_work: CloudAtWork

    def sell_out(self, server_type: str, location: str) -> None:
        """See Subject."""
        order: JsonObject = {"server_type": server_type, "location": location, "available": False}
        self.at_work.order("/hetzner/stock", order)

    def limit(self, servers: int) -> None:
        """See Subject."""
        self.at_work.order("/hetzner/limits", {"servers": servers})

    def lose_answer_to_create(self) -> None:
        """See Subject."""
        lost: JsonObject = {"match": ["POST /servers"], "reset": True, "when": "after"}
        self.at_work.order("/faults", lost)


@contextmanager
def subject(kind: str, folder: Path) -> Iterator[Subject]:
    """The cloud of that kind, empty."""
    if kind == "memory":
        yield InMemory(MemoryProvider())
        return
    with cloud_at_work(folder) as at_work:
        yield AtHetzner(Hetzner(token=at_work.cloud.token, endpoint=at_work.endpoint), at_work)
