"""The clouds that the contract is tried on, each with the levers its tests pull."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import requests

from farm.sandbox.clock import Clock
from farm.sandbox.wire import JsonObject
from provisioning.errors import NeedsOperator
from provisioning.hetzner import Hetzner
from provisioning.provider import Firewall, FirewallRule, MachineOrder, Price, Provider
from provisioning.scaleway import Scaleway
from tests.provisioning.memory import Fault, MemoryProvider
from tests.sandbox.hetzner.cloud_at_work import CloudAtWork, cloud_at_work
from tests.sandbox.scaleway.scaleway_at_work import ScalewayAtWork, scaleway_at_work


@dataclass(frozen=True, slots=True)
class Goods:
    """What is ordered at a cloud, what it costs there, and another place that has it."""

    server_type: str
    bigger: str
    location: str
    elsewhere: str
    image: str
    price: Price
    ipv4_price: Price
    volume_price: Price | None
    snapshot_price: Price
    size: tuple[int, float, int]
    many: int = 60
    """How many make several pages; an order at Scaleway takes a dozen calls."""


CX23 = Goods(
    server_type="cx23",
    bigger="cx33",
    location="fsn1",
    elsewhere="nbg1",
    image="debian-12",
    price=Price(hourly=6_400, monthly=3_990_000, currency="EUR"),
    ipv4_price=Price(hourly=800, monthly=500_000, currency="EUR"),
    volume_price=None,
    snapshot_price=Price(hourly=19_220, monthly=14_300_000, currency="EUR"),
    size=(2, 4.0, 40),
)
DEV1_M = Goods(
    server_type="DEV1-M",
    bigger="DEV1-L",
    location="fr-par-1",
    elsewhere="fr-par-2",
    image="debian_bookworm",
    price=Price(hourly=20_196, monthly=None, currency="EUR"),
    ipv4_price=Price(hourly=4_000, monthly=None, currency="EUR"),
    volume_price=Price(hourly=2_360, monthly=None, currency="EUR"),
    snapshot_price=Price(hourly=40_000, monthly=None, currency="EUR"),
    size=(3, 4.0, 20),
    many=12,
)


OURS = {"farm": "f1", "farm-server": "s1"}
NAME = "farm-s1"


def order_of(goods: Goods) -> MachineOrder:
    """An order of these goods, with our labels."""
    return MachineOrder(
        name=NAME,
        server_type=goods.server_type,
        location=goods.location,
        image=goods.image,
        user_data="#cloud-config\n",
        labels=OURS,
        firewall=Firewall("farm-f1", (FirewallRule(22, ("0.0.0.0/0", "::/0")),)),
    )


class Subject(Protocol):
    """A provider, and what can be done to the cloud behind it."""

    @property
    def provider(self) -> Provider:
        """The provider on trial."""

    @property
    def goods(self) -> Goods:
        """What to order there."""

    def sell_out(self, server_type: str, location: str) -> None:
        """That type is not to be had there any more."""

    def limit(self, servers: int) -> None:
        """The account may hold no more than these."""

    def lose_answer_to_create(self) -> None:
        """The next order has its effect, and its answer never comes."""

    def anew(self) -> Provider:
        """The provider as a process that was just started has it."""

    def reader(self) -> Provider:
        """A provider whose credentials may only read."""

    def cut(self, number: int) -> None:
        """The answer to the `number`-th order from now never comes, though it has its effect."""

    def is_cut(self) -> bool:
        """Whether that came to pass; disarms it if not."""

    def unmake(self) -> None:
        """The next copy of a disk comes to nothing."""

    def leave_volume(self, labels: dict[str, str]) -> str:
        """A volume with these labels that belongs to no machine; answers its id."""


@dataclass(frozen=True, slots=True)
class InMemory:
    """The provider of the engine's tests."""

    provider: MemoryProvider
    goods: Goods = CX23

    def sell_out(self, server_type: str, location: str) -> None:
        """See Subject."""
        self.provider.sold_out.add((server_type, location))

    def limit(self, servers: int) -> None:
        """See Subject."""
        self.provider.limit = servers

    def lose_answer_to_create(self) -> None:
        """See Subject."""
        self.provider.lose_answer("create")

    def anew(self) -> Provider:
        """See Subject."""
        return self.provider

    def reader(self) -> Provider:
        """See Subject."""
        refused = NeedsOperator("token_readonly", "The token may only read.")
        return MemoryProvider(faults=[Fault("verify", refused)])

    def cut(self, number: int) -> None:
        """See Subject."""
        self.provider.cut = number

    def is_cut(self) -> bool:
        """See Subject."""
        left, self.provider.cut = self.provider.cut, None
        return left is None

    def unmake(self) -> None:
        """See Subject."""
        self.provider.spoil = True

    def leave_volume(self, labels: dict[str, str]) -> str:
        """See Subject."""
        self.provider.volumes["v"] = labels
        return "v"


@dataclass(frozen=True, slots=True)
class AtHetzner:
    """The Hetzner adapter with its real SDK, over HTTP against the sandbox's cloud."""

    provider: Hetzner
    at_work: CloudAtWork
    goods: Goods = CX23

    def sell_out(self, server_type: str, location: str) -> None:
        """See Subject."""
        order: JsonObject = {"server_type": server_type, "location": location, "available": False}
        self.at_work.order("/hetzner/stock", order)

    def limit(self, servers: int) -> None:
        """See Subject."""
        self.at_work.order("/hetzner/limits", {"servers": servers})

    def lose_answer_to_create(self) -> None:
        """See Subject."""
        lost: JsonObject = {"match": ["POST /servers"], "reset": True, "when": "after"}
        self.at_work.order("/faults", lost)

    def anew(self) -> Provider:
        """See Subject."""
        return Hetzner(token=self.at_work.cloud.token, endpoint=self.at_work.endpoint)

    def reader(self) -> Provider:
        """See Subject."""
        token = self.at_work.order("/hetzner/projects", {"name": "x"}).json()["read_token"]
        return Hetzner(token=token, endpoint=self.at_work.endpoint)

    def cut(self, number: int) -> None:
        """See Subject."""
        self.at_work.order("/faults", broken(number))

    def is_cut(self) -> bool:
        """See Subject."""
        return spent(self.at_work.control)

    def unmake(self) -> None:
        """See Subject."""
        failing: JsonObject = {"code": "action_failed", "message": "no"}
        self.at_work.order("/faults", {"match": ["create_image"], "action": failing})

    def leave_volume(self, labels: dict[str, str]) -> str:
        """See Subject."""
        body = {"name": "left", "size": 10, "location": "fsn1", "labels": labels}
        made = self.at_work.ask("POST", "/volumes", body=json.dumps(body)).json()
        return str(made["volume"]["id"])


@dataclass(frozen=True, slots=True)
class AtScaleway:
    """The Scaleway adapter with its real SDK, over HTTP against the sandbox's cloud."""

    provider: Scaleway
    at_work: ScalewayAtWork
    goods: Goods = DEV1_M

    def sell_out(self, server_type: str, location: str) -> None:
        """See Subject."""
        gone: JsonObject = {"server_type": server_type, "zone": location}
        self.at_work.order("/scaleway/stock", {**gone, "availability": "shortage"})

    def limit(self, servers: int) -> None:
        """See Subject."""
        self.at_work.order("/scaleway/limits", {"servers": servers})

    def lose_answer_to_create(self) -> None:
        """See Subject."""
        match = ["POST", "/servers name="]
        self.at_work.order("/faults", {"match": match, "reset": True, "when": "after"})

    def anew(self) -> Provider:
        """See Subject."""
        return self.at_work.provider()

    def reader(self) -> Provider:
        """See Subject."""
        project = self.at_work.cloud.project
        return Scaleway(
            access_key=project.access_key,
            secret_key=project.read_key,
            project=project.uid,
            endpoint=self.at_work.endpoint,
        )

    def cut(self, number: int) -> None:
        """See Subject."""
        self.at_work.order("/faults", broken(number))

    def is_cut(self) -> bool:
        """See Subject."""
        return spent(self.at_work.control)

    def unmake(self) -> None:
        """See Subject."""
        failing: JsonObject = {"code": "snapshot_failed", "message": "no"}
        self.at_work.order("/faults", {"match": ["POST", "/snapshots"], "action": failing})

    def leave_volume(self, labels: dict[str, str]) -> str:
        """See Subject."""
        tags = [f"{key}={value}" for key, value in labels.items()]
        body = {"name": "left", "from_empty": {"size": 10**10}, "tags": tags}
        where = "/block/v1/zones/fr-par-1/volumes"
        made = self.at_work.ask("POST", where, body=json.dumps(body)).json()
        return str(made["id"])


def broken(number: int) -> JsonObject:
    """A fault that resets the connection of one request after it changed something."""
    return {"unless": ["GET "], "call": number, "reset": True, "when": "after"}


def spent(control: str) -> bool:
    """Whether no fault is left; forgets any that is."""
    left = requests.get(f"{control}/faults", timeout=10).json()["armed"]
    requests.delete(f"{control}/faults", timeout=10)
    return not left


@contextmanager
def subject(kind: str, folder: Path) -> Iterator[Subject]:
    """The cloud of that kind, empty."""
    if kind == "memory":
        yield InMemory(MemoryProvider())
        return
    if kind == "scaleway":
        with scaleway_at_work(folder, clock=Clock(speed=10)) as scaleway:
            yield AtScaleway(scaleway.provider(), scaleway)
        return
    with cloud_at_work(folder) as at_work:
        yield AtHetzner(Hetzner(token=at_work.cloud.token, endpoint=at_work.endpoint), at_work)
