"""All that the cloud has on record, and the simple questions to it."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from farm.sandbox.clock import Clock
from farm.sandbox.scaleway.catalog import Catalog
from farm.sandbox.scaleway.errors import not_found
from farm.sandbox.scaleway.records import (
    Group,
    Image,
    Ip,
    Key,
    Project,
    Rule,
    Server,
    Snapshot,
    Stock,
    Volume,
)
from farm.sandbox.store import Store, Table, living

FIRST_ID = 5_000_001
AVAILABLE = "available"
# What a group with default security lets no machine send, as the real cloud lists it.
SMTP_PORTS = (25, 465, 587)
ANYWHERE = ("0.0.0.0/0", "::/0")
Mine = TypeVar("Mine", Server, Volume, Snapshot, Image, Group)


class Books:
    """The tables of one cloud, with the catalogue and the clock by which they are kept."""

    def __init__(self, folder: Path, *, clock: Clock, catalog: Catalog) -> None:
        self.clock = clock
        self.catalog = catalog
        self._store = store = Store(folder / "cloud.sqlite3", first_id=FIRST_ID)
        self.projects = Table(store, Project)
        self.servers = Table(store, Server)
        self.ips = Table(store, Ip)
        self.volumes = Table(store, Volume)
        self.snapshots = Table(store, Snapshot)
        self.images = Table(store, Image)
        self.groups = Table(store, Group)
        self.stocks = Table(store, Stock)

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def next_id(self) -> int:
        """A number that nothing in this cloud has."""
        return self._store.next_id()

    def now(self) -> datetime:
        """The hour."""
        return self.clock.now()

    def create_project(self, name: str, key: Key | None = None) -> Project:
        """A fresh project with a key; `key` is one that was given out before."""
        given = key or Key(new_uid(), f"SCW{secrets.token_hex(9)[:17].upper()}", new_uid())
        return self.projects.put(
            Project(
                id=self.next_id(),
                uid=given.project,
                name=name,
                access_key=given.access_key,
                secret_key=given.secret_key,
                server_quota=self.catalog.server_quota,
                read_key=new_uid(),
            )
        )

    def project_with(self, secret_key: str) -> Project | None:
        """The project that a key opens, to read at least."""
        known = (p for p in self.projects if secret_key in (p.secret_key, p.read_key))
        return next(known, None) if secret_key else None

    def server(self, project: int, zone: str, uid: str) -> Server:
        """That server, or not_found."""
        return _mine(self.servers, project, zone, uid, "instance_server")

    def server_with(self, uid: str | None) -> Server | None:
        """The living server of that id, whoever's."""
        there = (server for server in self.servers if server.uid == uid)
        return next((server for server in there if server.deleted is None), None)

    def ip(self, project: int, zone: str, word: str) -> Ip:
        """That address, by its id or by itself."""
        for ip in living(self.ips, project):
            if ip.zone == zone and word in (ip.uid, ip.address):
                return ip
        raise not_found("instance_ip", word)

    def volume(self, project: int, zone: str, uid: str) -> Volume:
        """That block volume, or not_found."""
        return _mine(self.volumes, project, zone, uid, "volume")

    def snapshot(self, project: int, zone: str, uid: str) -> Snapshot:
        """That snapshot, or not_found."""
        return _mine(self.snapshots, project, zone, uid, "snapshot")

    def image(self, project: int, zone: str, uid: str) -> Image:
        """That image of the project's own, or not_found."""
        return _mine(self.images, project, zone, uid, "instance_image")

    def group(self, project: int, zone: str, uid: str) -> Group:
        """That security group, or not_found."""
        return _mine(self.groups, project, zone, uid, "instance_security_group")

    def default_group(self, project: int, zone: str) -> Group:
        """The group that every zone has of itself."""
        for group in living(self.groups, project):
            if group.is_default and group.zone == zone:
                return group
        now = self.now()
        return self.groups.put(
            Group(
                id=self.next_id(),
                uid=new_uid(),
                project=project,
                zone=zone,
                name="Default security group",
                description="Auto generated security group.",
                created=now,
                modified=now,
                tags=(),
                stateful=True,
                inbound="accept",
                outbound="accept",
                default_security=True,
                is_default=True,
            )
        )

    def ips_of(self, server: Server) -> list[Ip]:
        """The addresses attached to a server."""
        return [ip for ip in living(self.ips, server.project) if ip.server == server.uid]

    def volumes_of(self, server: Server) -> list[Volume]:
        """The volumes attached to a server."""
        there = living(self.volumes, server.project)
        return [volume for volume in there if volume.server == server.uid]

    def availability(self, commercial_type: str, zone: str) -> str:
        """available, scarce or shortage."""
        for stock in self.stocks:
            if (stock.commercial_type, stock.zone, stock.deleted) == (commercial_type, zone, None):
                return stock.availability
        return AVAILABLE

    def stock(self, commercial_type: str, zone: str, availability: str) -> None:
        """From now on there is that much of a type in a zone."""
        for stock in self.stocks:
            if (stock.commercial_type, stock.zone, stock.deleted) == (commercial_type, zone, None):
                self.stocks.put(replace(stock, deleted=self.now()))
        self.stocks.put(Stock(self.next_id(), commercial_type, zone, availability))


def new_uid() -> str:
    """An id as this API shows them."""
    return str(uuid.uuid4())


def default_rules(group: Group) -> list[Rule]:
    """The rules of default security, which nobody can edit."""
    if not group.default_security:
        return []
    wanted = [(source, port) for source in ANYWHERE for port in SMTP_PORTS]
    return [
        Rule(f"11111111-2222-4333-8444-{number:012}", "TCP", "outbound", "drop", source, port, None)
        for number, (source, port) in enumerate(wanted, start=1)
    ]


def _mine(table: Table[Mine], project: int, zone: str, uid: str, resource: str) -> Mine:
    for thing in living(table, project):
        if thing.zone == zone and thing.uid == uid:
            return thing
    raise not_found(resource, uid)
