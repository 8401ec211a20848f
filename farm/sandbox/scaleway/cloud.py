"""One Scaleway: its books, its machines, and the switching between them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from farm.sandbox.addresses import Addresses
from farm.sandbox.clock import Clock
from farm.sandbox.faults import Gate
from farm.sandbox.guests.base import GuestKind, GuestNotFoundError, GuestState
from farm.sandbox.scaleway.books import Books
from farm.sandbox.scaleway.catalog import Catalog, load_catalog
from farm.sandbox.scaleway.records import Key, Project, Server, State
from farm.sandbox.scaleway.switching import Switching

FIRST_PROJECT = "farm"


class ScalewayCloud:
    """The cloud that `scaleway_application` serves. Start the guests first, then the cloud.

    `folder` keeps its books; `addresses` are shared with other clouds; `key` is the first
    project's, made up at the first start if None.
    """

    def __init__(
        self,
        *,
        folder: Path,
        guests: GuestKind,
        clock: Clock,
        gate: Gate,
        addresses: Addresses | None = None,
        key: Key | None = None,
        catalog: Catalog | None = None,
    ) -> None:
        self.guests = guests
        self.clock = clock
        self.gate = gate
        self.addresses = addresses or Addresses(guests)
        self.books = Books(folder, clock=clock, catalog=catalog or load_catalog())
        self.addresses.respect(self._kept_addresses)
        self.switching = Switching(self.books, guests)
        gate.vanishers["scaleway"] = self.vanish
        if next(iter(self.books.projects), None) is None:
            self.books.create_project(FIRST_PROJECT, key)

    @property
    def project(self) -> Project:
        """The first project."""
        return next(iter(self.books.projects))

    async def start(self) -> None:
        """Take up what a stop interrupted."""
        self.switching.resume()

    async def close(self) -> None:
        """Leave everything as it is; the guests are closed by whoever started them."""
        await self.switching.close()
        self.books.close()

    async def vanish(self, word: str) -> None:
        """The first server with `word` in its name is gone, as if terminated in the console."""
        for server in self.books.servers:
            if server.deleted is None and word in server.name:
                await self.guests.destroy(server.id)
                self.switching.remove(server)
                return

    async def observe(self, server: Server) -> Server:
        """The server with the state that its machine shows now, unless an action changes it.

        A machine that halted by itself stays on its host: that is standby, and is charged for.
        """
        if server.order or server.state is not State.RUNNING:
            return server
        try:
            state = await self.guests.state(server.id)
        except GuestNotFoundError:
            return server
        kept = self.books.servers.get(server.id) or server
        if state is GuestState.RUNNING or kept.state is not State.RUNNING or kept.order:
            return kept
        return self.books.servers.put(replace(kept, state=State.STANDBY))

    def _kept_addresses(self) -> list[str]:
        return [ip.address for ip in self.books.ips if ip.deleted is None]
