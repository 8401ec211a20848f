"""What Scaleway would have invoiced, from the cloud's own records alone.

Compute is charged by the started hour from each power on to its power off, an hour at least, also
in standby. Addresses, volumes and snapshots are charged by the started hour for as long as they
exist, attached or not. There is no monthly cap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from farm.sandbox.scaleway.books import Books
from farm.sandbox.scaleway.records import Ip, Server, Snapshot, Volume

HOUR = timedelta(hours=1)
MICROS = 1_000_000
GIGABYTE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One thing in one month, net. `month` is "2026-11"; `micros` are millionths of the currency.

    `server` is the id of the server that it is, or was first attached to, and `server_name` its
    name.
    """

    project: int
    kind: str
    id: str
    server: str | None
    server_name: str
    zone: str
    name: str
    month: str
    hours: int
    hourly: int
    micros: int


@dataclass(frozen=True, slots=True)
class Invoice:
    """Everything up to `until`."""

    currency: str
    until: datetime
    lines: tuple[InvoiceLine, ...]

    @property
    def micros(self) -> int:
        """The sum, net."""
        return sum(line.micros for line in self.lines)


@dataclass(frozen=True, slots=True)
class _Charge:
    """What is charged for, how much an hour of it costs, and when it was there."""

    kind: str
    thing: Server | Ip | Volume | Snapshot
    name: str
    server: str | None
    hourly: int
    since: datetime
    until: datetime


def invoice_of(books: Books, *, project: int | None = None) -> Invoice:
    """The invoice of one project, or of all, up to now."""
    until = books.now()
    charges = [*_servers(books, until), *_ips(books, until), *_disks(books, until)]
    lines = tuple(
        line
        for charge in charges
        if project in (None, charge.thing.project)
        for line in _lines(books, charge)
    )
    return Invoice(books.catalog.currency, until, lines)


def _servers(books: Books, until: datetime) -> Iterator[_Charge]:
    for server in books.servers:
        for span in server.spans:
            yield _Charge(
                kind="server",
                thing=server,
                name=server.name,
                server=server.uid,
                hourly=micros(span.rate or server.rate),
                since=span.since,
                until=span.until or until,
            )


def _ips(books: Books, until: datetime) -> Iterator[_Charge]:
    for ip in books.ips:
        yield _Charge(
            kind="ipv4",
            thing=ip,
            name=ip.address,
            server=ip.made_for,
            hourly=micros(ip.rate),
            since=ip.created,
            until=ip.deleted or until,
        )


def _disks(books: Books, until: datetime) -> Iterator[_Charge]:
    for disk in (*books.volumes, *books.snapshots):
        is_volume = isinstance(disk, Volume)
        yield _Charge(
            kind="volume" if is_volume else "snapshot",
            thing=disk,
            name=disk.name,
            server=disk.made_for if isinstance(disk, Volume) else disk.server,
            hourly=_whole(Decimal(disk.rate) * disk.size / GIGABYTE * MICROS),
            since=disk.created,
            until=disk.deleted or until,
        )


def _lines(books: Books, charge: _Charge) -> Iterator[InvoiceLine]:
    named = {server.uid: server.name for server in books.servers}
    for month, hours in started_hours(charge.since, charge.until):
        yield InvoiceLine(
            project=charge.thing.project,
            kind=charge.kind,
            id=charge.thing.uid,
            server=charge.server,
            server_name=named.get(charge.server or "", ""),
            zone=charge.thing.zone,
            name=charge.name,
            month=month,
            hours=hours,
            hourly=charge.hourly,
            micros=hours * charge.hourly,
        )


def started_hours(since: datetime, until: datetime) -> Iterator[tuple[str, int]]:
    """How many hours begun from `since` until before `until`, at least one, by month of UTC."""
    hours: dict[str, int] = {}
    for index in range(max(1, -((since - until) // HOUR))):
        month = f"{(since + index * HOUR).astimezone(UTC):%Y-%m}"
        hours[month] = hours.get(month, 0) + 1
    yield from hours.items()


def micros(amount: str) -> int:
    """A decimal string in millionths."""
    return _whole(Decimal(amount) * MICROS)


def _whole(amount: Decimal) -> int:
    return int(amount.to_integral_value(ROUND_HALF_UP))
