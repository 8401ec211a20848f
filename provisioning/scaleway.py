"""Scaleway as a Provider: several zones, several calls to a machine, every error in our words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from scaleway import Client
from scaleway.instance.v1 import Server, ServerAction
from scaleway.product_catalog.v2alpha1 import ListPublicCatalogProductsRequestProductType as Product

from provisioning.budget import Boundless, Budget
from provisioning.errors import (
    NeedsOperator,
    NoCapacity,
    ProvisioningError,
    Rejected,
    Transient,
)
from provisioning.provider import (
    BUILD_LABEL,
    Action,
    Billable,
    BillableKind,
    Charges,
    Copy,
    Created,
    Firewall,
    Machine,
    MachineOrder,
    MachineStatus,
    Offer,
)
from provisioning.scaleway_charges import charges_of
from provisioning.scaleway_copies import copied, copies_in, end_copy
from provisioning.scaleway_errors import absence_is_fine, farm_errors
from provisioning.scaleway_line import PAGE, Lines, every
from provisioning.scaleway_making import admit, change_type, complete, rebuild, undo
from provisioning.scaleway_parts import (
    end_all,
    end_ip,
    end_server,
    end_volume,
    found_in,
    ips_with,
    machines_in,
    servers_with,
    snapshots_with,
    volumes_with,
)
from provisioning.scaleway_values import (
    NAME_TAG,
    UNFINISHED,
    Prices,
    disk_bill,
    ip_bill,
    label_tags,
    labels_of,
    machine_of,
    offers_of,
    prices_of,
    server_bill,
    state_of,
)

ENDPOINT = "https://api.scaleway.com"
ZONES = ("fr-par-1", "fr-par-2", "nl-ams-1")
TIMEOUTS = (3.05, 20.0)
MAX_USER_DATA = 32768
NOBODY = str(UUID(int=0))


class Scaleway:
    """One project of Scaleway in some of its zones. Safe to share between threads.

    A machine's `provider_id` is its zone and its name, "fr-par-1/farm-1": what is left of a machine
    has no id of its own. ValueError for keys that cannot be Scaleway's. `timeouts` are seconds to
    connect and to wait for the answer; `budget` is asked before every request. `ipv4_hourly` is the
    net price of an address, of which the API's price list does not tell.
    """

    name = "scaleway"
    off_is_free = True

    def __init__(
        self,
        *,
        access_key: str,
        secret_key: str,
        project: str,
        zones: Sequence[str] = ZONES,
        endpoint: str = ENDPOINT,
        timeouts: tuple[float, float] = TIMEOUTS,
        ipv4_hourly: Decimal = Decimal(0),
        budget: Budget | None = None,
    ) -> None:
        client = Client(
            access_key=access_key,
            secret_key=secret_key,
            default_project_id=project,
            default_zone=zones[0],
            default_page_size=PAGE,
            api_url=endpoint.rstrip("/"),
        )
        client.validate()
        self._zones = tuple(zones)
        self._lines = Lines(client, timeouts, budget or Boundless())
        self._project, self._ipv4_hourly = project, ipv4_hourly
        self._homes: dict[str, str] = {}
        self._prices: dict[str, Prices] = {}

    def verify(self) -> None:
        """Prove that the key opens the project and may write, by deleting what cannot exist."""
        with farm_errors(writes=False):
            self._lines.instance.list_servers(
                zone=self._zones[0], project=self._project, per_page=1
            )
            with absence_is_fine():
                self._lines.instance.delete_ip(zone=self._zones[0], ip=NOBODY)
            with absence_is_fine():
                self._lines.block.delete_volume(zone=self._zones[0], volume_id=NOBODY)

    def offers(self) -> tuple[Offer, ...]:
        """Every server type in every zone; see Provider."""
        with farm_errors(writes=False):
            return tuple(offer for zone in self._zones for offer in self._offers(zone))

    def image_retires_at(self, name: str) -> datetime | None:
        """Until when the marketplace has the image of that label."""
        with farm_errors(writes=False):
            images = every(
                lambda page: self._lines.market.list_images(include_eol=True, page=page),
                lambda page: page.images,
            )
            ends = [image.valid_until for image in images if image.label == name]
            return min((end.astimezone(UTC) for end in ends if end), default=None)

    def find(self, name: str) -> Machine | None:
        """The machine of that name, whole or in part, or None."""
        with farm_errors(writes=False):
            for zone in self._zones_for(name):
                machine = found_in(self._lines, zone, name)
                if machine:
                    self._homes[name] = zone
                    return machine
        self._homes.pop(name, None)
        return None

    def create(self, order: MachineOrder) -> Created:
        """Make the machine, or make whole what an earlier try left of it; see Provider."""
        there = self._ours(order)
        if there and machine_of(there[0], order.location).status != MachineStatus.UNFINISHED:
            return Created(machine_of(there[0], order.location))
        return Created(self._completed(order, there))

    def admit(self, firewall: Firewall) -> None:
        """Bring each zone's security group of that name in step; see Provider."""
        with farm_errors(writes=True):
            for zone in self._zones:
                admit(self._lines, zone, firewall)

    def actions(self, ids: Sequence[str]) -> tuple[Action, ...]:
        """None: a task of Scaleway's cannot be asked about, its server's state is what tells."""
        del ids
        return ()

    def shutdown(self, provider_id: str) -> None:
        """Ask the machine to halt; Scaleway has one order for that and for `power_off`."""
        self._switch(provider_id, ServerAction.POWEROFF, when=("running",))

    def power_on(self, provider_id: str) -> None:
        """Boot it."""
        self._switch(provider_id, ServerAction.POWERON, when=("stopped", "stopped_in_place"))

    def power_off(self, provider_id: str) -> None:
        """Halt it and give its host back: from then on only its address and its disk cost."""
        self._switch(provider_id, ServerAction.POWEROFF, when=("running", "stopped_in_place"))

    def restart(self, provider_id: str) -> None:
        """Have it halt and boot on its host; Scaleway pulls the plug of one that does not halt."""
        self._switch(provider_id, ServerAction.REBOOT, when=("running",))

    def resize(self, provider_id: str, server_type: str) -> tuple[str, ...]:
        """Look, and make one that is off another type; it gets a host at its next power on."""
        with farm_errors(writes=True), absence_is_fine():
            for server in self._servers(provider_id):
                if server.commercial_type == server_type:
                    continue
                if state_of(server) != "stopped":
                    raise Transient("server_not_stopped", f"{provider_id} is not off yet.")
                change_type(self._lines, _zone(provider_id), server.id, server_type)
        return ()

    def rebuild(self, order: MachineOrder, *, wish: str) -> Created | None:
        """Replace the server and its volume, step by step, at its address; see Provider."""
        there = self._ours(order)
        build = f"{BUILD_LABEL}={wish}"
        if any(build in one.tags and UNFINISHED not in one.tags for one in there[:1]):
            return Created(machine_of(there[0], order.location))
        with farm_errors(writes=True):
            # What is refused half-way stays: its address is what this is for.
            server = rebuild(self._lines, order, there, build)
            return Created(machine_of(server, order.location)) if server else None

    def snapshot(self, provider_id: str, *, description: str, labels: Mapping[str, str]) -> Copy:
        """Copy the machine's root volume and put an image on the copy; see Provider."""
        with farm_errors(writes=True):
            servers = self._servers(provider_id)
            tags = label_tags(labels)
            return copied(self._lines, _zone(provider_id), servers, description, tags)

    def copies(self, labels: Mapping[str, str], location: str = "") -> tuple[Copy, ...]:
        """Every copy with all `labels`; one boots in its own zone only."""
        tags = label_tags(labels)
        zones = [zone for zone in self._zones if location in ("", zone)]
        with farm_errors(writes=False):
            return tuple(copy for zone in zones for copy in copies_in(self._lines, zone, tags))

    def discard(self, copy: Copy) -> None:
        """Remove the image, and the snapshot that it stands on."""
        zone, _, snapshot = copy.id.partition("/")
        with farm_errors(writes=True):
            end_copy(self._lines, zone, snapshot)

    def delete(self, provider_id: str) -> tuple[str, ...]:
        """Take what is there of the machine one step further towards nothing; see Provider."""
        zone, _, name = provider_id.partition("/")
        if zone in self._zones and name:
            with farm_errors(writes=True):
                end_all(self._lines, zone, name)
        return ()

    def machines(self, labels: Mapping[str, str]) -> tuple[Machine, ...]:
        """Every machine in every zone that carries all `labels`, and what is left of others."""
        tags = label_tags(labels)
        with farm_errors(writes=False):
            return tuple(m for zone in self._zones for m in machines_in(self._lines, zone, tags))

    def billables(self, labels: Mapping[str, str]) -> tuple[Billable, ...]:
        """Servers, addresses, volumes and snapshots that carry all `labels`."""
        tags = label_tags(labels)
        with farm_errors(writes=False):
            return tuple(bill for zone in self._zones for bill in self._bills(zone, tags))

    def remove(self, billable: Billable) -> None:
        """Order the end of one thing; a volume still in use is content to wait."""
        zone, number = billable.location, billable.id
        with farm_errors(writes=True), absence_is_fine():
            match billable.kind:
                case BillableKind.SERVER:
                    found = self._lines.instance.get_server(zone=zone, server_id=number)
                    end_server(self._lines, zone, found.server)
                case BillableKind.IPV4:
                    end_ip(self._lines, zone, number)
                case BillableKind.VOLUME:
                    volume = self._lines.block.get_volume(zone=zone, volume_id=number)
                    end_volume(self._lines, zone, volume)
                case BillableKind.SNAPSHOT:
                    end_copy(self._lines, zone, number)

    def charges(self, month: date) -> Charges | None:
        """What the billing API says of the project."""
        with farm_errors(writes=False):
            return charges_of(self._lines, self._project, month)

    def _ours(self, order: MachineOrder) -> list[Server]:
        """The servers of that name at the place of the order; Rejected for a stranger's."""
        if len(order.user_data.encode()) > MAX_USER_DATA:
            raise Rejected("user_data_too_long", "The machine's user-data exceeds 32,768 bytes.")
        if order.location not in self._zones:
            raise NoCapacity("unknown_zone", f"SCALEWAY_ZONES does not name {order.location}.")
        self._homes[order.name] = order.location
        with farm_errors(writes=False):
            there = servers_with(self._lines, order.location, [f"{NAME_TAG}={order.name}"])
        if there and not order.labels.items() <= labels_of(there[0].tags).items():
            message = f"A machine named {order.name} that is not ours is there."
            raise Rejected("name_taken", message)
        return there

    def _completed(self, order: MachineOrder, there: Sequence[Server]) -> Machine:
        try:
            with farm_errors(writes=True):
                server = complete(self._lines, order, there)
                return machine_of(server, order.location)
        except (NoCapacity, Rejected, NeedsOperator):
            # What cannot be undone now has our tags: the next sweep finds it.
            with suppress(ProvisioningError), farm_errors(writes=True):
                undo(self._lines, order)
            raise

    def _switch(self, provider_id: str, action: ServerAction, *, when: Sequence[str]) -> None:
        zone = _zone(provider_id)
        with farm_errors(writes=True), absence_is_fine():
            for server in self._servers(provider_id):
                if state_of(server) in when:
                    self._lines.instance.server_action(
                        zone=zone, server_id=server.id, action=action
                    )

    def _servers(self, provider_id: str) -> list[Server]:
        zone, _, name = provider_id.partition("/")
        if zone not in self._zones:
            return []
        return servers_with(self._lines, zone, [f"{NAME_TAG}={name}"])

    def _zones_for(self, name: str) -> Sequence[str]:
        """The zone where that machine was ordered or last seen, or every one."""
        home = self._homes.get(name)
        return (home,) if home else self._zones

    def _offers(self, zone: str) -> tuple[Offer, ...]:
        instance = self._lines.instance
        types = every(
            lambda page: instance.list_servers_types(zone=zone, page=page),
            lambda page: list(page.servers.items()),
        )
        stock = every(
            lambda page: instance.get_server_types_availability(zone=zone, page=page),
            lambda page: [(name, str(one.availability)) for name, one in page.servers.items()],
        )
        return offers_of(zone, dict(types), dict(stock), self._price_list(zone))

    def _price_list(self, zone: str) -> Prices:
        products = every(
            lambda page: self._lines.prices.list_public_catalog_products(
                zone=zone, product_types=[Product.INSTANCE, Product.BLOCK_STORAGE], page=page
            ),
            lambda page: page.products,
        )
        self._prices[zone] = prices_of(products, self._ipv4_hourly)
        return self._prices[zone]

    def _bills(self, zone: str, tags: Sequence[str]) -> Iterator[Billable]:
        servers, ips = servers_with(self._lines, zone, tags), ips_with(self._lines, zone, tags)
        disks = [
            *volumes_with(self._lines, zone, tags),
            *snapshots_with(self._lines, zone, tags),
        ]
        if not (servers or ips or disks):
            return
        prices = self._prices.get(zone) or self._price_list(zone)
        yield from (server_bill(server, zone, prices) for server in servers)
        yield from (ip_bill(ip, zone, prices) for ip in ips)
        yield from (disk_bill(disk, zone, prices) for disk in disks)


def _zone(provider_id: str) -> str:
    return provider_id.partition("/")[0]
