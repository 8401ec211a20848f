"""All that the cloud has on record, and the simple questions to it."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from farm.sandbox.clock import Clock
from farm.sandbox.hetzner.catalog import Catalog
from farm.sandbox.hetzner.errors import not_found
from farm.sandbox.hetzner.labels import parse_selector
from farm.sandbox.hetzner.records import (
    Action,
    Firewall,
    Image,
    PrimaryIp,
    Project,
    Server,
    SoldOut,
    SshKey,
    Volume,
)
from farm.sandbox.store import M, Store, Table, living

TOKEN_BYTES = 32
FIRST_ID = 100_001


class Books:
    """The tables of one cloud, with the catalogue and the clock by which they are kept."""

    def __init__(self, folder: Path, *, clock: Clock, catalog: Catalog) -> None:
        self.clock = clock
        self.catalog = catalog
        self._store = store = Store(folder / "cloud.sqlite3", first_id=FIRST_ID)
        self.projects = Table(store, Project)
        self.servers = Table(store, Server)
        self.primary_ips = Table(store, PrimaryIp)
        self.images = Table(store, Image)
        self.volumes = Table(store, Volume)
        self.firewalls = Table(store, Firewall)
        self.ssh_keys = Table(store, SshKey)
        self.actions = Table(store, Action)
        self.sold_out = Table(store, SoldOut)

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def next_id(self) -> int:
        """A number that nothing in this cloud has."""
        return self._store.next_id()

    def now(self) -> datetime:
        """The hour, to the second: as precisely as the API tells it."""
        return self.clock.now().replace(microsecond=0)

    def create_project(
        self, name: str, *, token: str | None = None, server_limit: int | None = None
    ) -> Project:
        """A fresh project with a token that may write and one that may only read."""
        return self.projects.put(
            Project(
                id=self.next_id(),
                name=name,
                token=token or secrets.token_hex(TOKEN_BYTES),
                read_token=secrets.token_hex(TOKEN_BYTES),
                server_limit=self.catalog.server_limit if server_limit is None else server_limit,
            )
        )

    def project_with(self, token: str) -> Project | None:
        """The project that either token opens."""
        return next((p for p in self.projects if token in (p.token, p.read_token)), None)

    def mine(self, table: Table[M], project: int, number: int, kind: str) -> M:
        """That living thing of the project; not_found in the API's words."""
        thing = table.get(number)
        if thing is None or thing.project != project or thing.deleted is not None:
            raise not_found(kind, number)
        return thing

    def server_of(self, action: Action) -> Server | None:
        """The server that an action is about."""
        return self.servers.get(action.about("server"))

    def firewalls_on(self, server: Server) -> list[Firewall]:
        """The firewalls that protect a server, by its id or by its labels."""
        return [
            firewall
            for firewall in living(self.firewalls, server.project)
            if server.id in firewall.servers or selects(firewall, server)
        ]

    def bury(self, server: Server) -> None:
        """Take a server off the books, with its automatic addresses; the rest lets go of it."""
        now = self.now()
        self.servers.put(replace(server, deleted=now))
        for ip in living(self.primary_ips, server.project):
            if ip.server == server.id:
                end = now if ip.auto_delete else None
                self.primary_ips.put(replace(ip, server=None, deleted=end))
        for firewall in living(self.firewalls, server.project):
            if server.id in firewall.servers:
                kept = tuple(number for number in firewall.servers if number != server.id)
                self.firewalls.put(replace(firewall, servers=kept))

    def is_sold_out(self, server_type: str, location: str) -> bool:
        """Whether somebody said that this type is not to be had there now."""
        return any(
            (one.server_type, one.location) == (server_type, location)
            for one in self.sold_out
            if one.deleted is None
        )

    def stock(self, server_type: str, location: str, *, available: bool) -> None:
        """From now on that type is, or is not, to be had there."""
        for one in self.sold_out:
            if (one.server_type, one.location) == (server_type, location) and one.deleted is None:
                self.sold_out.put(replace(one, deleted=self.now()))
        if not available:
            self.sold_out.put(SoldOut(self.next_id(), server_type, location))


def selects(firewall: Firewall, server: Server) -> bool:
    """Whether one of the firewall's label selectors means this server."""
    return any(parse_selector(text)(server.labels) for text in firewall.selectors)
