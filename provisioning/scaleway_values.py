"""Scaleway's objects read into the values of our contract, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from scaleway.block.v1 import Snapshot, Volume
from scaleway.instance.v1 import (
    Image,
    Ip,
    SecurityGroupRule,
    SecurityGroupRuleAction,
    SecurityGroupRuleDirection,
    Server,
    ServerType,
    SetSecurityGroupRulesRequestRule,
)
from scaleway.product_catalog.v2alpha1 import PublicCatalogProduct

from provisioning.provider import (
    Billable,
    BillableKind,
    Copy,
    CopyStatus,
    Firewall,
    Machine,
    MachineStatus,
    Offer,
    Price,
)

NAME_TAG = "farm-vm"
UNFINISHED = "farm-unfinished"
ROOT_BYTES = 20_000_000_000
GIGABYTE = 1_000_000_000
TERABYTE_IN_GB = 1000
STATUSES = {
    "starting": MachineStatus.STARTING,
    "running": MachineStatus.RUNNING,
    "stopped": MachineStatus.OFF,
    "stopped_in_place": MachineStatus.OFF,
}
COPY_STATUSES = {
    "available": CopyStatus.READY,
    "in_use": CopyStatus.READY,
    "creating": CopyStatus.MAKING,
}
RuleKey = tuple[str, str, str, int | None]


@dataclass(frozen=True, slots=True)
class Prices:
    """Net prices of one zone in `currency`: an hour of each type, of a gigabyte, of an address.

    The last is not in the cloud's list: its API has no product for it that one could ask for.
    """

    servers: Mapping[str, Decimal]
    volume_gb: Decimal
    snapshot_gb: Decimal
    ipv4: Decimal
    currency: str

    def hour(self, amount: Decimal) -> Price:
        """A price with no cap: Scaleway charges every hour of a month."""
        return Price(hourly=micros(amount), monthly=None, currency=self.currency)

    def of_volume(self, size: int) -> Price:
        """What so many bytes of a volume cost."""
        return self.hour(self.volume_gb * size / GIGABYTE)


def tags_of(name: str, labels: Mapping[str, str]) -> list[str]:
    """The tags of whatever belongs to the machine of that name."""
    return [f"{NAME_TAG}={name}", *label_tags(labels)]


def label_tags(labels: Mapping[str, str]) -> list[str]:
    """Labels as tags: Scaleway has no pairs."""
    return [f"{key}={value}" for key, value in sorted(labels.items())]


def labels_of(tags: Iterable[str]) -> dict[str, str]:
    """The labels that tags stand for; tags of others that are no pair are left out."""
    pairs = dict(tag.split("=", 1) for tag in tags if "=" in tag)
    pairs.pop(NAME_TAG, None)
    return pairs


def name_in(tags: Iterable[str]) -> str:
    """The name of the machine that a thing of ours belongs to, "" for one of nobody's."""
    lead = f"{NAME_TAG}="
    return next((tag.removeprefix(lead) for tag in tags if tag.startswith(lead)), "")


def state_of(server: Server) -> str:
    """Its state as one word; the API says "stopped in place", the SDK's enum something else."""
    return str(server.state).replace(" ", "_")


def machine_of(server: Server, zone: str) -> Machine:
    """The machine that a server shows; UNFINISHED while its create has not ended."""
    state = STATUSES.get(state_of(server), MachineStatus.UNKNOWN)
    name = name_in(server.tags) or server.name
    address = next((ip.address for ip in server.public_ips if str(ip.family) == "inet"), None)
    return Machine(
        provider_id=f"{zone}/{name}",
        name=name,
        status=MachineStatus.UNFINISHED if UNFINISHED in server.tags else state,
        ipv4=address,
        server_type=server.commercial_type,
        location=zone,
        created_at=server.creation_date.astimezone(UTC),
        labels=labels_of(server.tags),
    )


def remnant_of(part: Ip | Volume, zone: str) -> Machine:
    """What is left, or was begun, of a machine: an address or a volume without a server."""
    created = part.created_at if isinstance(part, Volume) else None
    return Machine(
        provider_id=f"{zone}/{name_in(part.tags)}",
        name=name_in(part.tags),
        status=MachineStatus.UNFINISHED,
        ipv4=None,
        server_type="",
        location=zone,
        created_at=_utc(created),
        labels=labels_of(part.tags),
    )


def copy_of(snapshot: Snapshot, image: Image | None, zone: str) -> Copy:
    """The copy of a disk that a snapshot and the image on it are; without one nothing boots yet."""
    status = COPY_STATUSES.get(str(snapshot.status), CopyStatus.BROKEN)
    whole = image is not None and str(image.state) == "available"
    return Copy(
        id=f"{zone}/{snapshot.id}",
        image=image.id if image else "",
        status=status if whole or status is CopyStatus.BROKEN else CopyStatus.MAKING,
        location=zone,
        gigabytes=snapshot.size / GIGABYTE,
        disk_gb=snapshot.size // GIGABYTE,
        created_at=_utc(snapshot.created_at),
        labels=labels_of(snapshot.tags),
    )


def prices_of(products: Sequence[PublicCatalogProduct], ipv4: Decimal) -> Prices:
    """The prices of one zone; KeyError where the catalogue does not name what we buy."""
    servers: dict[str, Decimal] = {}
    disks: dict[str, Decimal] = {}
    currency = ""
    for product in products:
        money = product.price.retail_price if product.price else None
        if money is None:
            continue
        amount = Decimal(money.units) + Decimal(money.nanos) / 10**9
        currency = money.currency_code
        if product.properties and product.properties.instance:
            servers[product.product] = amount
        elif kind := _disk(product):
            disks[kind] = amount
    return Prices(servers, disks["volume"], disks["snapshot"], ipv4, currency)


def _disk(product: PublicCatalogProduct) -> str:
    """Which of our two kinds of storage a product is; we buy the one of 5,000 operations."""
    storage = product.properties.block_storage if product.properties else None
    if storage is None or "5k" not in product.sku.lower():
        return ""
    return "snapshot" if storage.snapshot else "volume"


def offers_of(
    zone: str, types: Mapping[str, ServerType], stock: Mapping[str, str], prices: Prices
) -> tuple[Offer, ...]:
    """Every type of the zone that has a price and runs from a block volume."""
    return tuple(
        Offer(
            server_type=name,
            location=zone,
            available=stock.get(name) in ("available", "scarce") and not kind.end_of_service,
            price=prices.hour(prices.servers[name]),
            ipv4_price=prices.hour(prices.ipv4),
            volume_price=prices.of_volume(ROOT_BYTES),
            snapshot_price=prices.hour(prices.snapshot_gb * TERABYTE_IN_GB),
            cores=kind.ncpus,
            memory_gb=kind.ram / 2**30,
            disk_gb=ROOT_BYTES // GIGABYTE,
        )
        for name, kind in types.items()
        if name in prices.servers and kind.capabilities and kind.capabilities.block_storage
    )


def server_bill(server: Server, zone: str, prices: Prices) -> Billable:
    """What a server costs; nothing for its hours while it is off."""
    hourly = prices.servers.get(server.commercial_type, Decimal(0))
    return Billable(
        kind=BillableKind.SERVER,
        id=server.id,
        name=server.name,
        location=zone,
        machine=name_in(server.tags),
        created_at=_utc(server.creation_date),
        labels=labels_of(server.tags),
        price=prices.hour(Decimal(0) if state_of(server) == "stopped" else hourly),
        since=_utc(server.modification_date),
    )


def ip_bill(ip: Ip, zone: str, prices: Prices) -> Billable:
    """What an address costs, attached or not."""
    return Billable(
        kind=BillableKind.IPV4,
        id=ip.id,
        name=ip.address,
        location=zone,
        machine=name_in(ip.tags),
        created_at=None,
        labels=labels_of(ip.tags),
        price=prices.hour(prices.ipv4),
    )


def disk_bill(disk: Volume | Snapshot, zone: str, prices: Prices) -> Billable:
    """What a volume or a snapshot costs by its size."""
    is_volume = isinstance(disk, Volume)
    rate = prices.volume_gb if is_volume else prices.snapshot_gb
    return Billable(
        kind=BillableKind.VOLUME if is_volume else BillableKind.SNAPSHOT,
        id=disk.id,
        name=disk.name,
        location=zone,
        machine=name_in(disk.tags),
        created_at=_utc(disk.created_at),
        labels=labels_of(disk.tags),
        price=prices.hour(rate * disk.size / GIGABYTE),
        since=_utc(disk.created_at),
    )


def cloud_rules(firewall: Firewall) -> list[SetSecurityGroupRulesRequestRule]:
    """Our rules as Scaleway writes them, one for each source."""
    wanted = [(rule.port, source) for rule in firewall.rules for source in rule.sources]
    return [
        SetSecurityGroupRulesRequestRule(
            action=SecurityGroupRuleAction.ACCEPT,
            # The SDK's enum says "tcp"; the API's own description and answers say "TCP".
            protocol="TCP",
            direction=SecurityGroupRuleDirection.INBOUND,
            ip_range=source,
            position=position,
            dest_port_from=port,
            dest_port_to=port,
            editable=True,
        )
        for position, (port, source) in enumerate(wanted, start=1)
    ]


def rule_key(rule: SecurityGroupRule | SetSecurityGroupRulesRequestRule) -> RuleKey:
    """What makes two rules the same, whatever their order; a lone port has no upper end."""
    return (str(rule.direction), str(rule.protocol), rule.ip_range, rule.dest_port_from)


def micros(amount: Decimal) -> int:
    """An amount in integer micro-units, half a micro-unit rounded up."""
    return int((amount * 1_000_000).to_integral_value(ROUND_HALF_UP))


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
