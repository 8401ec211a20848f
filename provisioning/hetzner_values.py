"""Hetzner's objects and JSON read into the values of our contract, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TypedDict

from hcloud.firewalls import FirewallRule as CloudRule
from hcloud.images import BoundImage
from hcloud.server_types import BoundServerType, ServerTypeLocation
from hcloud.servers import BoundServer

from provisioning.provider import (
    Action,
    ActionStatus,
    Copy,
    CopyStatus,
    Firewall,
    Machine,
    MachineStatus,
    Offer,
    Price,
)

MICROS = 1_000_000
# A price per month is charged by the hour: the hours of the longest month make none dearer.
HOURS_OF_A_MONTH = 744
TERABYTE_IN_GB = 1000

STATUSES = {
    "initializing": MachineStatus.STARTING,
    "starting": MachineStatus.STARTING,
    "rebuilding": MachineStatus.STARTING,
    "migrating": MachineStatus.STARTING,
    "running": MachineStatus.RUNNING,
    "off": MachineStatus.OFF,
    "deleting": MachineStatus.DELETING,
}
COPY_STATUSES = {"available": CopyStatus.READY, "creating": CopyStatus.MAKING}

RuleKey = tuple[str, str, str, frozenset[str]]


class Amount(TypedDict):
    """Money as a decimal string."""

    net: str


class _PlacePrice(TypedDict):
    location: str
    price_hourly: Amount
    price_monthly: Amount


class _TypePrices(TypedDict):
    name: str
    prices: list[_PlacePrice]


class _IpPrices(TypedDict):
    type: str
    prices: list[_PlacePrice]


class _PerGigabyte(TypedDict):
    price_per_gb_month: Amount


class Pricing(TypedDict):
    """The part of GET /pricing that we read; amounts are decimal strings."""

    currency: str
    server_types: list[_TypePrices]
    primary_ips: list[_IpPrices]
    image: _PerGigabyte
    volume: _PerGigabyte


class _ActionError(TypedDict):
    code: str
    message: str


class RawAction(TypedDict):
    """The part of an action that we read."""

    id: int
    status: str
    finished: str | None
    error: _ActionError | None


def selector(labels: Mapping[str, str]) -> str:
    """The label selector for things that carry all `labels`."""
    return ",".join(f"{key}=={value}" for key, value in sorted(labels.items()))


def machine_of(server: BoundServer) -> Machine:
    """The machine that a server from the SDK shows."""
    if server.created is None or server.name is None:
        raise ValueError(f"server {server.id} came without its name or its hour of creation")
    ipv4 = server.public_net.ipv4 if server.public_net else None
    return Machine(
        provider_id=str(server.id),
        name=server.name,
        status=STATUSES.get(server.status or "", MachineStatus.UNKNOWN),
        ipv4=ipv4.ip if ipv4 else None,
        server_type=(server.server_type.name if server.server_type else None) or "",
        location=(server.location.name if server.location else None) or "",
        created_at=server.created.astimezone(UTC),
        labels=dict(server.labels or {}),
    )


def copy_of(image: BoundImage) -> Copy:
    """The copy of a disk that a snapshot is; it boots everywhere."""
    return Copy(
        id=str(image.id),
        image=str(image.id),
        status=COPY_STATUSES.get(image.status or "", CopyStatus.BROKEN),
        location="",
        gigabytes=image.image_size,
        disk_gb=int(image.disk_size or 0),
        created_at=image.created.astimezone(UTC) if image.created else None,
        labels=dict(image.labels or {}),
    )


def action_of(raw: RawAction) -> Action:
    """How an order stands, from its JSON."""
    error = raw["error"]
    told = f"{error['code']}: {error['message']}" if error else ""
    finished = datetime.fromisoformat(raw["finished"]).astimezone(UTC) if raw["finished"] else None
    return Action(str(raw["id"]), ActionStatus(raw["status"]), told, finished)


def cloud_rules(firewall: Firewall) -> list[CloudRule]:
    """Our rules as Hetzner writes them."""
    return [
        CloudRule(direction="in", protocol="tcp", port=str(r.port), source_ips=list(r.sources))
        for r in firewall.rules
    ]


def rule_key(rule: CloudRule) -> RuleKey:
    """What makes two rules the same, whatever their order and description."""
    return (rule.direction, rule.protocol, rule.port or "", frozenset(rule.source_ips))


def offers_of(
    types: Sequence[BoundServerType], pricing: Pricing, *, now: datetime | None
) -> tuple[Offer, ...]:
    """Every type at every place that has a price; `now` is the cloud's own hour."""
    currency = pricing["currency"]
    ipv4 = by_place(
        p for ip in pricing["primary_ips"] if ip["type"] == "ipv4" for p in ip["prices"]
    )
    prices = {entry["name"]: by_place(entry["prices"]) for entry in pricing["server_types"]}
    copies = by_size(pricing["image"]["price_per_gb_month"], TERABYTE_IN_GB, currency)
    return tuple(
        _offer(
            (kind, place),
            price_of(own[name], currency),
            ipv4_price=price_of(ipv4[name], currency),
            snapshot_price=copies,
            now=now,
        )
        for kind in types
        for own in (prices.get(kind.name or "", {}),)
        for place in kind.locations or ()
        for name in (place.location.name or "",)
        if name in own and name in ipv4
    )


def _offer(
    good: tuple[BoundServerType, ServerTypeLocation],
    price: Price,
    *,
    ipv4_price: Price,
    snapshot_price: Price,
    now: datetime | None,
) -> Offer:
    kind, place = good
    end = place.deprecation.unavailable_after if place.deprecation else None
    return Offer(
        server_type=kind.name or "",
        location=place.location.name or "",
        available=bool(place.available) and not (end and now and end <= now),
        price=price,
        ipv4_price=ipv4_price,
        snapshot_price=snapshot_price,
        cores=int(kind.cores or 0),
        memory_gb=float(kind.memory or 0),
        disk_gb=int(kind.disk or 0),
        retires_at=end.astimezone(UTC) if end else None,
    )


def by_place(prices: Iterable[_PlacePrice]) -> dict[str, _PlacePrice]:
    """Prices by the name of their place."""
    return {price["location"]: price for price in prices}


def price_of(raw: _PlacePrice, currency: str) -> Price:
    """A price of the list, net."""
    return Price(
        hourly=micros(raw["price_hourly"]["net"]),
        monthly=micros(raw["price_monthly"]["net"]),
        currency=currency,
    )


def by_size(rate: Amount, gigabytes: float, currency: str) -> Price:
    """What so many gigabytes cost at a price per gigabyte and month."""
    monthly = Decimal(rate["net"]) * Decimal(str(gigabytes))
    return Price(
        hourly=micros(str(monthly / HOURS_OF_A_MONTH)),
        monthly=micros(str(monthly)),
        currency=currency,
    )


def micros(amount: str) -> int:
    """A decimal string in integer micro-units, half a micro-unit rounded up."""
    return int((Decimal(amount) * MICROS).to_integral_value(ROUND_HALF_UP))
