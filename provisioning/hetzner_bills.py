"""What the things in a Hetzner project cost, one by one, from its price list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from hcloud.images import BoundImage
from hcloud.locations import Location
from hcloud.primary_ips import BoundPrimaryIP
from hcloud.server_types import ServerType
from hcloud.servers import BoundServer
from hcloud.volumes import BoundVolume

from provisioning.hetzner_values import Amount, Pricing, by_place, by_size, price_of
from provisioning.provider import Billable, BillableKind


def bills_of(
    pricing: Pricing,
    *,
    servers: Sequence[BoundServer],
    ips: Sequence[BoundPrimaryIP],
    volumes: Sequence[BoundVolume],
    images: Sequence[BoundImage],
    labels: Mapping[str, str],
) -> tuple[Billable, ...]:
    """One for each; of the addresses those of the servers, and those with the labels themselves."""
    return (
        *(_server(server, pricing) for server in servers),
        *_addresses(ips, {server.id: server for server in servers}, pricing, labels),
        *(_disk(BillableKind.VOLUME, volume, volume.size, pricing) for volume in volumes),
        *(_disk(BillableKind.SNAPSHOT, image, image.image_size, pricing) for image in images),
    )


def _server(server: BoundServer, pricing: Pricing) -> Billable:
    kind, place = _name(server.server_type), _name(server.location)
    known = {entry["name"]: by_place(entry["prices"]) for entry in pricing["server_types"]}
    return Billable(
        kind=BillableKind.SERVER,
        id=str(server.id),
        name=server.name or "",
        location=place,
        machine=server.name or "",
        created_at=_utc(server.created),
        labels=dict(server.labels or {}),
        price=price_of(known[kind][place], pricing["currency"]),
    )


def _addresses(
    ips: Sequence[BoundPrimaryIP],
    servers: Mapping[int | None, BoundServer],
    pricing: Pricing,
    labels: Mapping[str, str],
) -> Iterator[Billable]:
    known = by_place(
        p for entry in pricing["primary_ips"] if entry["type"] == "ipv4" for p in entry["prices"]
    )
    for ip in ips:
        server, place = servers.get(ip.assignee_id), _name(ip.location)
        own = dict(ip.labels or {})
        if ip.type != "ipv4" or not (server or labels.items() <= own.items()):
            continue
        yield Billable(
            kind=BillableKind.IPV4,
            id=str(ip.id),
            name=ip.ip or "",
            location=place,
            machine=(server.name or "") if server else "",
            created_at=_utc(ip.created),
            labels=own or dict((server.labels if server else None) or {}),
            price=price_of(known[place], pricing["currency"]),
        )


def _disk(
    kind: BillableKind, disk: BoundVolume | BoundImage, size_gb: float | None, pricing: Pricing
) -> Billable:
    """A volume or a snapshot, by its gigabytes; nothing while a snapshot's size is not known."""
    is_volume = kind is BillableKind.VOLUME
    rate: Amount = (pricing["volume"] if is_volume else pricing["image"])["price_per_gb_month"]
    return Billable(
        kind=kind,
        id=str(disk.id),
        name=(disk.name if is_volume else disk.description) or "",
        location=_name(disk.location) if isinstance(disk, BoundVolume) else "",
        machine="",
        created_at=_utc(disk.created),
        labels=dict(disk.labels or {}),
        price=by_size(rate, size_gb or 0, pricing["currency"]),
    )


def _name(thing: Location | ServerType | None) -> str:
    return (thing.name if thing else None) or ""


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
