"""The Hetzner Cloud as a Provider: every call with a timeout, no wait, every error in our words."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from hcloud import APIException, Client
from hcloud.firewalls import Firewall as CloudFirewall
from hcloud.images import Image
from hcloud.locations import Location
from hcloud.primary_ips import PrimaryIP
from hcloud.server_types import ServerType
from hcloud.servers import CreateServerResponse, Server
from hcloud.volumes import Volume

from provisioning.budget import Boundless, Budget
from provisioning.errors import Rejected, Transient
from provisioning.hetzner_bills import bills_of
from provisioning.hetzner_errors import LastAnswer, farm_errors
from provisioning.hetzner_parts import (
    KnownFirewalls,
    absence_is_fine,
    ensured,
    image_named,
    is_about_firewall,
    snapshots_with,
)
from provisioning.hetzner_values import action_of, copy_of, machine_of, offers_of, selector
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
    Offer,
)
from provisioning.transport import count

ENDPOINT = "https://api.hetzner.cloud/v1"
TIMEOUTS = (3.05, 20.0)
MAX_USER_DATA = 32768
ACTIONS_PER_REQUEST = 50


class _Connection(threading.local):
    """A client of each thread's own: the SDK's session must not be shared between threads."""

    def __init__(
        self, token: str, endpoint: str, timeouts: tuple[float, float], budget: Budget
    ) -> None:
        self.last = LastAnswer()
        self.client = Client(
            token=token,
            api_endpoint=endpoint,
            application_name="agent-farm",
            timeout=timeouts,
        )
        # The SDK would sleep up to a minute inside a step, and post a create again after a lost
        # answer. It has no switch for either, and does not show the headers: hcloud is pinned.
        base = self.client._client  # noqa: SLF001
        base._retry_max_retries = 0  # noqa: SLF001
        base._session.hooks["response"].append(self.last.note)  # noqa: SLF001
        count(base._session, budget)  # noqa: SLF001


class Hetzner:
    """One project of the Hetzner Cloud. Safe to share between threads.

    `timeouts` are seconds to connect and to wait for the answer; `budget` is asked before every
    request.
    """

    name = "hetzner"
    off_is_free = False

    def __init__(
        self,
        *,
        token: str,
        endpoint: str = ENDPOINT,
        timeouts: tuple[float, float] = TIMEOUTS,
        budget: Budget | None = None,
    ) -> None:
        counting = budget or Boundless()
        self._walls = KnownFirewalls()
        self._connection = _Connection(token, endpoint.rstrip("/"), timeouts, counting)

    @property
    def _client(self) -> Client:
        return self._connection.client

    @property
    def _last(self) -> LastAnswer:
        return self._connection.last

    def verify(self) -> None:
        """Prove that the token is good and may write, by deleting what cannot exist."""
        with farm_errors(self._last, writes=False):
            self._client.locations.get_list(per_page=1)
            try:
                self._client.request(method="DELETE", url="/ssh_keys/0")
            except APIException as refusal:
                if refusal.code not in ("not_found", "invalid_input"):
                    raise

    def offers(self) -> tuple[Offer, ...]:
        """Every server type at every place; see Provider."""
        with farm_errors(self._last, writes=False):
            pricing = self._client.request(method="GET", url="/pricing")["pricing"]
            types = self._client.server_types.get_all()
            return offers_of(types, pricing, now=self._last.at)

    def image_retires_at(self, name: str) -> datetime | None:
        """When the image of that name goes, in its word on what is deprecated."""
        with farm_errors(self._last, writes=False):
            images = self._client.images.get_list(name=name, include_deprecated=True).images
            told = [image.deprecation for image in images if image.deprecation]
            ends = [one.unavailable_after for one in told if one.unavailable_after]
            return min(ends).astimezone(UTC) if ends else None

    def find(self, name: str) -> Machine | None:
        """The machine of that name, or None."""
        with farm_errors(self._last, writes=False):
            server = self._client.servers.get_by_name(name)
            return None if server is None else machine_of(server)

    def create(self, order: MachineOrder) -> Created:
        """Make the machine, or adopt the one that our own lost call made; see Provider."""
        if len(order.user_data.encode()) > MAX_USER_DATA:
            raise Rejected("user_data_too_long", "The machine's user-data exceeds 32,768 bytes.")
        with farm_errors(self._last, writes=True):
            try:
                answer = self._ordered(order)
            except APIException as refusal:
                if refusal.code != "uniqueness_error":
                    raise
            else:
                actions = (answer.action, *answer.next_actions)
                return Created(machine_of(answer.server), tuple(str(a.id) for a in actions))
        return Created(self._adopted(order))

    def admit(self, firewall: Firewall) -> None:
        """Bring the project's one firewall of that name in step; see Provider."""
        with farm_errors(self._last, writes=True):
            ensured(self._client, firewall)

    def actions(self, ids: Sequence[str]) -> tuple[Action, ...]:
        """How these orders stand, fifty to a request; ids the cloud forgot are left out."""
        found: list[Action] = []
        for start in range(0, len(ids), ACTIONS_PER_REQUEST):
            wanted = list(ids[start : start + ACTIONS_PER_REQUEST])
            with farm_errors(self._last, writes=False):
                answer = self._client.request(method="GET", url="/actions", params={"id": wanted})
                found.extend(action_of(raw) for raw in answer["actions"])
        return tuple(found)

    def shutdown(self, provider_id: str) -> None:
        """Press the power button; a machine that is gone is no error."""
        with farm_errors(self._last, writes=True), absence_is_fine():
            self._client.servers.shutdown(Server(id=int(provider_id)))

    def power_on(self, provider_id: str) -> None:
        """Switch it on; one that is on stays so."""
        with farm_errors(self._last, writes=True), absence_is_fine():
            self._client.servers.power_on(Server(id=int(provider_id)))

    def power_off(self, provider_id: str) -> None:
        """Pull the plug; one that is off stays so, and costs as much."""
        with farm_errors(self._last, writes=True), absence_is_fine():
            self._client.servers.power_off(Server(id=int(provider_id)))

    def restart(self, provider_id: str) -> None:
        """Pull the plug of one that is on, and put it back."""
        with farm_errors(self._last, writes=True), absence_is_fine():
            server = self._client.servers.get_by_id(int(provider_id))
            if server.status == Server.STATUS_RUNNING:
                server.reset()

    def resize(self, provider_id: str, server_type: str) -> tuple[str, ...]:
        """Look, and order the other type with the disk as it is; see Provider."""
        with farm_errors(self._last, writes=True), absence_is_fine():
            server = self._client.servers.get_by_id(int(provider_id))
            if server.server_type and server.server_type.name == server_type:
                return ()
            kind = ServerType(name=server_type)
            return (str(server.change_type(kind, upgrade_disk=False).id),)
        return ()

    def rebuild(self, order: MachineOrder, *, wish: str) -> Created | None:
        """Look, order the fresh disk, and mark the server as built for `wish`; see Provider."""
        order = replace(order, labels={**order.labels, BUILD_LABEL: wish})
        with farm_errors(self._last, writes=False):
            server = self._client.servers.get_by_name(order.name)
        if server is None:
            return self.create(order)
        self._check_ours(machine_of(server), order)
        if (server.labels or {}).get(BUILD_LABEL) == wish:
            return Created(machine_of(server))
        with farm_errors(self._last, writes=True):
            answer = server.rebuild(image_named(order.image), user_data=order.user_data)
            # A kill before this builds it once more: nobody was told that it is there.
            marked = server.update(labels=dict(order.labels))
            return Created(machine_of(marked), (str(answer.action.id),))

    def snapshot(self, provider_id: str, *, description: str, labels: Mapping[str, str]) -> Copy:
        """Look for the copy, and order it if there is none; see Provider."""
        with farm_errors(self._last, writes=True):
            there = snapshots_with(self._client, labels)
            if there:
                return copy_of(there[0])
            answer = self._client.servers.create_image(
                Server(id=int(provider_id)),
                description=description,
                type="snapshot",
                labels=dict(labels),
            )
            return copy_of(answer.image)

    def copies(self, labels: Mapping[str, str], location: str = "") -> tuple[Copy, ...]:
        """Every snapshot with all `labels`, the newest first; each boots everywhere."""
        del location
        with farm_errors(self._last, writes=False):
            return tuple(copy_of(image) for image in snapshots_with(self._client, labels))

    def discard(self, copy: Copy) -> None:
        """Delete the snapshot."""
        with farm_errors(self._last, writes=True), absence_is_fine():
            self._client.images.delete(Image(id=int(copy.id)))

    def delete(self, provider_id: str) -> tuple[str, ...]:
        """Delete the machine; its automatic primary IPs vanish with it."""
        with farm_errors(self._last, writes=True), absence_is_fine():
            return (str(self._client.servers.delete(Server(id=int(provider_id))).id),)
        return ()

    def machines(self, labels: Mapping[str, str]) -> tuple[Machine, ...]:
        """Every machine that carries all `labels`, each once although pages shift."""
        with farm_errors(self._last, writes=False):
            servers = self._client.servers.get_all(label_selector=selector(labels))
            return tuple({s.id: machine_of(s) for s in servers}.values())

    def billables(self, labels: Mapping[str, str]) -> tuple[Billable, ...]:
        """Servers, their addresses, volumes and snapshots that carry all `labels`."""
        wanted = selector(labels)
        with farm_errors(self._last, writes=False):
            servers = self._client.servers.get_all(label_selector=wanted)
            volumes = self._client.volumes.get_all(label_selector=wanted)
            images = self._client.images.get_all(type=["snapshot"], label_selector=wanted)
            # An address that came with a server has no labels of its own.
            ips = self._client.primary_ips.get_all()
            pricing = self._client.request(method="GET", url="/pricing")["pricing"]
            return bills_of(
                pricing, servers=servers, ips=ips, volumes=volumes, images=images, labels=labels
            )

    def remove(self, billable: Billable) -> None:
        """Delete one thing; an address that came with a server goes with it."""
        number = int(billable.id)
        with farm_errors(self._last, writes=True), absence_is_fine():
            match billable.kind:
                case BillableKind.SERVER:
                    self._client.servers.delete(Server(id=number))
                case BillableKind.IPV4:
                    self._client.primary_ips.delete(PrimaryIP(id=number))
                case BillableKind.VOLUME:
                    self._client.volumes.delete(Volume(id=number))
                case BillableKind.SNAPSHOT:
                    self._client.images.delete(Image(id=number))

    def charges(self, month: date) -> Charges | None:  # noqa: ARG002  (the protocol's)
        """Nothing: Hetzner has no API for it, and hands out an invoice."""
        return None

    def _ordered(self, order: MachineOrder) -> CreateServerResponse:
        """The order, behind a firewall that was in step a few machines ago or is now."""
        known = self._walls.known(order.firewall)
        if known:
            try:
                return self._order(order, known)
            except APIException as refusal:
                if not is_about_firewall(refusal):
                    raise
        return self._order(order, self._walls.keep(self._client, order.firewall))

    def _order(self, order: MachineOrder, firewall: CloudFirewall) -> CreateServerResponse:
        # No ssh_keys: machines trust the farm's certificate authority and nothing else.
        return self._client.servers.create(
            name=order.name,
            server_type=ServerType(name=order.server_type),
            image=image_named(order.image),
            location=Location(name=order.location),
            firewalls=[firewall],
            user_data=order.user_data,
            labels=dict(order.labels),
        )

    def _adopted(self, order: MachineOrder) -> Machine:
        """The machine that has the name already, if it is ours."""
        machine = self.find(order.name)
        if machine is None:
            raise Transient("name_taken", f"The name {order.name} is taken and cannot be seen yet.")
        self._check_ours(machine, order)
        return machine

    def _check_ours(self, machine: Machine, order: MachineOrder) -> None:
        wanted = {key: word for key, word in order.labels.items() if key != BUILD_LABEL}
        if not wanted.items() <= machine.labels.items():
            raise Rejected(
                "name_taken",
                f"A machine named {order.name} that is not ours is in the project: remove or "
                "rename it there, or create the agent anew.",
            )
