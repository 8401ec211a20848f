"""What Hetzner would have invoiced, and what it holds now, from the cloud's own records alone.

Every started hour counts in full from the second of creation, switched off or not; a calendar
month (UTC, by the hour's beginning) costs at most the monthly price. A server that became another
type is charged as one server ended and another begun. Addresses, volumes and snapshots are lines of
their own. A month of a volume or a snapshot is prorated by its started hours; a snapshot has the
size that the API shows, in gigabytes with three decimals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from farm.sandbox.hetzner.books import Books
from farm.sandbox.hetzner.catalog import Rate
from farm.sandbox.hetzner.records import Image, PrimaryIp, Server, Volume, shown_size

HOUR = timedelta(hours=1)
MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One thing in one month, net. `month` is "2026-11"; `micros` are millionths of the currency.

    `hourly` and `monthly` are the prices it was charged by, in micros; `server` is the one that it
    is, came with, or was copied from.
    """

    project: int
    kind: str
    id: int
    server: int | None
    name: str
    month: str
    hours: int
    hourly: int
    monthly: int
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
class _Month:
    begins: datetime
    hours: int

    @property
    def label(self) -> str:
        return f"{self.begins:%Y-%m}"

    @property
    def length(self) -> int:
        """Hours in the whole month."""
        return (_next_month(self.begins) - self.begins) // HOUR


def invoice_of(books: Books, *, project: int | None = None) -> Invoice:
    """The invoice of one project, or of all, up to now."""
    until = books.now()
    things = (_server_lines, _ip_lines, _image_lines, _volume_lines)
    lines = [line for charged in things for line in charged(books, until)]
    chosen = tuple(line for line in lines if project in (None, line.project))
    return Invoice(books.catalog.currency, until, chosen)


def _server_lines(books: Books, until: datetime) -> Iterator[InvoiceLine]:
    for server in books.servers:
        for tariff in server.past:
            span = (tariff.since, tariff.until)
            yield from _hourly_lines("server", server, tariff.rate, span, server.id)
        span = (server.retyped or server.created, server.deleted or until)
        yield from _hourly_lines("server", server, server.rate, span, server.id)


def _ip_lines(books: Books, until: datetime) -> Iterator[InvoiceLine]:
    for ip in books.primary_ips:
        if ip.rate is not None:
            span = (ip.created, ip.deleted or until)
            yield from _hourly_lines("primary_ip", ip, ip.rate, span, ip.made_for)


def _hourly_lines(
    kind: str,
    thing: Server | PrimaryIp,
    rate: Rate,
    span: tuple[datetime, datetime],
    server: int | None,
) -> Iterator[InvoiceLine]:
    hourly, monthly = micros(rate.hourly), micros(rate.monthly)
    for month in started_hours(*span):
        yield InvoiceLine(
            project=thing.project,
            kind=kind,
            id=thing.id,
            server=server,
            name=thing.name,
            month=month.label,
            hours=month.hours,
            hourly=hourly,
            monthly=monthly,
            micros=min(month.hours * hourly, monthly),
        )


def _image_lines(books: Books, until: datetime) -> Iterator[InvoiceLine]:
    for image in books.images:
        size = shown_size(image)
        if size is None or Decimal(image.rate_gb_month) == 0:
            continue
        for month in started_hours(image.created, image.deleted or until):
            yield _disk_line(image, Decimal(str(size)), month)


def _volume_lines(books: Books, until: datetime) -> Iterator[InvoiceLine]:
    for volume in books.volumes:
        for month in started_hours(volume.created, volume.deleted or until):
            yield _disk_line(volume, Decimal(volume.size), month)


def _disk_line(disk: Image | Volume, gigabytes: Decimal, month: _Month) -> InvoiceLine:
    monthly = _whole(Decimal(disk.rate_gb_month) * gigabytes * MICROS)
    return InvoiceLine(
        project=disk.project,
        kind="snapshot" if isinstance(disk, Image) else "volume",
        id=disk.id,
        server=disk.server if isinstance(disk, Image) else None,
        name=disk.description if isinstance(disk, Image) else disk.name,
        month=month.label,
        hours=month.hours,
        hourly=_whole(Decimal(monthly) / month.length),
        monthly=monthly,
        micros=_whole(Decimal(monthly) * month.hours / month.length),
    )


def started_hours(created: datetime, end: datetime) -> Iterator[_Month]:
    """The hours begun from `created` until before `end`, at least one, month by month in UTC."""
    created, left = created.astimezone(UTC), max(1, -((created - end) // HOUR))
    begins = created.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    first = created
    while left:
        following = _next_month(begins)
        hours = min(left, -((first - following) // HOUR))
        yield _Month(begins, hours)
        left, first, begins = left - hours, first + hours * HOUR, following


def _next_month(begins: datetime) -> datetime:
    return (begins + timedelta(days=31)).replace(day=1)


def micros(amount: str) -> int:
    """A decimal string in millionths."""
    return _whole(Decimal(amount) * MICROS)


def _whole(amount: Decimal) -> int:
    return int(amount.to_integral_value(ROUND_HALF_UP))
