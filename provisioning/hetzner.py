"""The Hetzner Cloud as a Provider: every call with a timeout, no wait, every error in our words."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from hcloud import APIException, Client
from hcloud.firewalls import BoundFirewall
from hcloud.firewalls import FirewallRule as CloudRule
from hcloud.images import BoundImage, Image
from hcloud.locations import Location
from hcloud.primary_ips import PrimaryIP
from hcloud.server_types import ServerType
from hcloud.servers import CreateServerResponse, Server
from hcloud.volumes import Volume

from provisioning.budget import Boundless, Budget
from provisioning.errors import Rejected, Transient
from provisioning.hetzner_bills import bills_of
from provisioning.hetzner_errors import LastAnswer, farm_errors
from provisioning.hetzner_values import (
    action_of,
    cloud_rules,
    machine_of,
    offers_of,
    rule_key,
    selector,
)
from provisioning.provider import (
    Action,
    Billable,
    BillableKind,
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

    def __init__(
        self,
        *,
        token: str,
        endpoint: str = ENDPOINT,
        timeouts: tuple[float, float] = TIMEOUTS,
        budget: Budget | None = None,
    ) -> None:
        counting = budget or Boundless()
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

    def find_image(self, labels: Mapping[str, str], location: str) -> str | None:
        """The id of the newest available snapshot with all `labels`; one boots everywhere."""
        del location
        with farm_errors(self._last, writes=False):
            # The SDK (2.27) sends the page size as `status`, so the status is looked at here.
            images = self._client.images.get_all(type=["snapshot"], label_selector=selector(labels))
            there = (image for image in images if image.status == "available")
            newest = max(there, key=_age, default=None)
            return None if newest is None else str(newest.id)

    def find(self, name: str) -> Machine | None:
        """The machine of that name, or None."""
        with farm_errors(self._last, writes=False):
            server = self._client.servers.get_by_name(name)
            return None if server is None else machine_of(server)

    def create(self, order: MachineOrder) -> Created:
        """Make the machine, or adopt the one that our own lost call made; see Provider."""
        if len(order.user_data.encode()) > MAX_USER_DATA:
            raise Rejected("user_data_too_long", "The machine's user-data exceeds 32,768 bytes.")
        firewall = self._ensured(order.firewall)
        with farm_errors(self._last, writes=True):
            try:
                answer = self._order(order, firewall)
            except APIException as refusal:
                if refusal.code != "uniqueness_error":
                    raise
            else:
                actions = (answer.action, *answer.next_actions)
                return Created(machine_of(answer.server), tuple(str(a.id) for a in actions))
        return Created(self._adopted(order))

    def admit(self, firewall: Firewall) -> None:
        """Bring the project's one firewall of that name in step; see Provider."""
        self._ensured(firewall)

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
        with farm_errors(self._last, writes=True), _absence_is_fine():
            self._client.servers.shutdown(Server(id=int(provider_id)))

    def power_on(self, provider_id: str) -> None:
        """Switch it on; one that is on stays so."""
        with farm_errors(self._last, writes=True), _absence_is_fine():
            self._client.servers.power_on(Server(id=int(provider_id)))

    def power_off(self, provider_id: str) -> None:
        """Pull the plug; one that is off stays so, and costs as much."""
        with farm_errors(self._last, writes=True), _absence_is_fine():
            self._client.servers.power_off(Server(id=int(provider_id)))

    def snapshot(self, provider_id: str, *, description: str, labels: Mapping[str, str]) -> str:
        """Order a snapshot; answers its image's id, which becomes available later."""
        with farm_errors(self._last, writes=True):
            answer = self._client.servers.create_image(
                Server(id=int(provider_id)),
                description=description,
                type="snapshot",
                labels=dict(labels),
            )
            return str(answer.image.id)

    def delete(self, provider_id: str) -> tuple[str, ...]:
        """Delete the machine; its automatic primary IPs vanish with it."""
        with farm_errors(self._last, writes=True), _absence_is_fine():
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
        with farm_errors(self._last, writes=True), _absence_is_fine():
            match billable.kind:
                case BillableKind.SERVER:
                    self._client.servers.delete(Server(id=number))
                case BillableKind.IPV4:
                    self._client.primary_ips.delete(PrimaryIP(id=number))
                case BillableKind.VOLUME:
                    self._client.volumes.delete(Volume(id=number))
                case BillableKind.SNAPSHOT:
                    self._client.images.delete(Image(id=number))

    def _order(self, order: MachineOrder, firewall: BoundFirewall) -> CreateServerResponse:
        # No ssh_keys: machines trust the farm's certificate authority and nothing else.
        return self._client.servers.create(
            name=order.name,
            server_type=ServerType(name=order.server_type),
            image=_image(order.image),
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
        if not order.labels.items() <= machine.labels.items():
            raise Rejected(
                "name_taken",
                f"A machine named {order.name} that is not ours is in the project: remove or "
                "rename it there, or create the agent anew.",
            )
        return machine

    def _ensured(self, wanted: Firewall) -> BoundFirewall:
        """The firewall of that name with these very rules; made or corrected if need be."""
        rules = cloud_rules(wanted)
        with farm_errors(self._last, writes=True):
            firewall = self._client.firewalls.get_by_name(wanted.name)
            firewall = firewall or self._new_firewall(wanted.name, rules)
            if {rule_key(rule) for rule in firewall.rules or ()} != {rule_key(r) for r in rules}:
                firewall.set_rules(rules)
            return firewall

    def _new_firewall(self, name: str, rules: list[CloudRule]) -> BoundFirewall:
        try:
            return self._client.firewalls.create(name=name, rules=rules).firewall
        except APIException as refusal:
            if refusal.code != "uniqueness_error":
                raise
        # Another worker was faster with the farm's first machine.
        made = self._client.firewalls.get_by_name(name)
        if made is None:
            raise Transient("firewall_taken", f"The firewall {name} is taken and not seen yet.")
        return made


@contextmanager
def _absence_is_fine() -> Iterator[None]:
    try:
        yield
    except APIException as refusal:
        if refusal.code != "not_found":
            raise


def _image(word: str) -> Image:
    # Snapshots have no name and go by their id.
    return Image(id=int(word)) if word.isdecimal() else Image(name=word)


def _age(image: BoundImage) -> tuple[datetime, int]:
    return (image.created or datetime.min.replace(tzinfo=UTC), image.id or 0)
