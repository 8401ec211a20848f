"""What the farm asks of a cloud: one Protocol, and the values that travel through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

BUILD_LABEL = "farm-build"
"""Says on a machine for which wish its disk was last made anew."""


class MachineStatus(StrEnum):
    """What a cloud says of a machine, in the few words that change what we do.

    UNFINISHED is part of a machine: what a broken-off create left, or a deletion not yet carried
    through. `Provider.create` completes the one, `Provider.delete` ends both.
    """

    UNFINISHED = "unfinished"
    STARTING = "starting"
    RUNNING = "running"
    OFF = "off"
    DELETING = "deleting"
    UNKNOWN = "unknown"


class ActionStatus(StrEnum):
    """How an asynchronous order at a cloud stands."""

    RUNNING = "running"
    SUCCESS = "success"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class FirewallRule:
    """Lets inbound TCP to `port` through from `sources` (CIDR); whatever no rule names is shut."""

    port: int
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Firewall:
    """A firewall of ours, known by its name, which is unique in a project."""

    name: str
    rules: tuple[FirewallRule, ...]


@dataclass(frozen=True, slots=True)
class MachineOrder:
    """All that a cloud needs to make one machine.

    `name` is unique among ours and is how a lost answer is found again; `user_data` is at most
    32,768 bytes of UTF-8; `image` is an id as a READY `Copy` has it, or a name as the catalogue
    has it; `labels` mark the machine as ours.
    """

    name: str
    server_type: str
    location: str
    image: str
    user_data: str = field(repr=False)
    labels: Mapping[str, str]
    firewall: Firewall


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine as the cloud shows it. `created_at` is the cloud's own, in UTC.

    It is None only for an UNFINISHED one of which the cloud tells no age.
    """

    provider_id: str
    name: str
    status: MachineStatus
    ipv4: str | None
    server_type: str
    location: str
    created_at: datetime | None
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Created:
    """A machine that was made or adopted, with the ids of the orders still under way for it."""

    machine: Machine
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """How one order stands; `error` is the cloud's code and sentence when it failed.

    `finished_at` is the cloud's own, in UTC, where it tells.
    """

    id: str
    status: ActionStatus
    error: str = ""
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """Net prices in integer micro-units of `currency` (1 EUR = 1,000,000).

    `monthly` caps what a calendar month of started hours costs; None where there is no cap.
    """

    hourly: int
    monthly: int | None
    currency: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A server type at a place: its price today, and whether it is to be had.

    The IPv4 is apart, and so is the disk where the cloud sells it apart (`volume_price`).
    `snapshot_price` is that of 1,000 GB of copies, so that what one GB costs is not rounded away.
    `retires_at` is when the cloud stops selling the type there, where it said so.
    """

    server_type: str
    location: str
    available: bool
    price: Price
    ipv4_price: Price
    volume_price: Price | None = None
    snapshot_price: Price | None = None
    cores: int = 0
    memory_gb: float = 0.0
    disk_gb: int = 0
    retires_at: datetime | None = None


class CopyStatus(StrEnum):
    """How far a copy of a machine's disk is; nothing boots from a BROKEN one, ever."""

    MAKING = "making"
    READY = "ready"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a machine's disk, which is charged for until it is discarded.

    `image` is what `MachineOrder.image` takes once it is READY, "" while the cloud has not named
    it; `location` is where it boots, "" for everywhere; `gigabytes` is what it is charged by, None
    while that is not known; `disk_gb` is the smallest disk that it boots from.
    """

    id: str
    image: str
    status: CopyStatus
    location: str
    gigabytes: float | None
    disk_gb: int
    created_at: datetime | None
    labels: Mapping[str, str]


class BillableKind(StrEnum):
    """What a cloud charges for, one by one."""

    SERVER = "server"
    IPV4 = "ipv4"
    VOLUME = "volume"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True)
class Billable:
    """One thing at the cloud that costs money, with what it costs today.

    `id` is the cloud's own within `location`; `machine` is the name of the machine it belongs or
    belonged to, "" where it belongs to none; `labels` are its own, or its machine's. `since` is
    from when on it costs this, where the cloud tells it: a machine may be free while it is off.
    """

    kind: BillableKind
    id: str
    name: str
    location: str
    machine: str
    created_at: datetime | None
    labels: Mapping[str, str]
    price: Price
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """What a cloud itself says that it charges for one thing in a month, net, in micro-units.

    `kind` is None for what the farm has no word for; `id` and `name` are the cloud's own.
    """

    kind: BillableKind | None
    id: str
    name: str
    micros: int
    currency: str


@dataclass(frozen=True, slots=True)
class Charges:
    """A month's charges, as the cloud knew them at `until`."""

    until: datetime
    charges: tuple[Charge, ...]


class Provider(Protocol):
    """One project at one cloud. Every method may raise the errors of `provisioning.errors`.

    Not-found is no error: `find` answers None, `delete` is content. Nothing here waits for the
    cloud to finish; what is under way is asked again later. Every order looks first and may be
    given again, after a kill between any two of its calls too: it adopts what is there and goes on.
    What each asks of a cloud, request by request, is named in tests/contract/test_requests.py.
    """

    @property
    def name(self) -> str:
        """The cloud's word in our catalogue, such as "hetzner"."""

    @property
    def off_is_free(self) -> bool:
        """Whether a machine that is off costs no compute; its disk and address always cost."""

    def verify(self) -> None:
        """Prove that the credentials are good and may write; NeedsOperator says what is wrong."""

    def offers(self) -> tuple[Offer, ...]:
        """Every server type at every place with today's price and availability."""

    def image_retires_at(self, name: str) -> datetime | None:
        """When the cloud stops offering that operating system, where it said so."""

    def find(self, name: str) -> Machine | None:
        """The machine of that name, or None if the cloud has none."""

    def create(self, order: MachineOrder) -> Created:
        """Make the machine. A name already taken by a machine with our labels is adopted.

        What a create that broke off has left is completed; a refused one leaves nothing behind.

        AnswerLost when it may have been made: call `find` before asking again.
        """

    def rebuild(self, order: MachineOrder, *, wish: str) -> Created | None:
        """Give the machine of that name a fresh disk from `order.image`, and keep its address.

        All that was on the disk is lost. None while the old disk is still going: ask again, with
        the same `wish`, a word of its own for each time, which the machine bears as BUILD_LABEL
        once nothing more is to be asked. A machine that is gone is made as ordered.
        """

    def resize(self, provider_id: str, server_type: str) -> tuple[str, ...]:
        """Make a machine that is off one of that type, at the type's price of today.

        Its disk keeps its size, so that the way back stays open. Answers the ids of the orders
        under way; `find` shows the type when it is done, and then it may be on or off. Transient
        while it is not off; content if it has the type, or is gone.
        """

    def admit(self, firewall: Firewall) -> None:
        """Have the firewall of that name, wherever it stands, let in whom its rules name."""

    def actions(self, ids: Sequence[str]) -> tuple[Action, ...]:
        """How these orders stand, in one request; ids the cloud forgot are left out."""

    def shutdown(self, provider_id: str) -> None:
        """Ask the machine to power off by itself."""

    def power_on(self, provider_id: str) -> None:
        """Switch the machine on; content if it is on already, or coming or going."""

    def power_off(self, provider_id: str) -> None:
        """Switch the machine off; content if it is off already, or coming or going."""

    def restart(self, provider_id: str) -> None:
        """Have a machine that is on boot again, whatever it is doing; one that is off stays off."""

    def snapshot(self, provider_id: str, *, description: str, labels: Mapping[str, str]) -> Copy:
        """Order a copy of the machine's disk. One of ours with all `labels` is adopted.

        So give each copy a label of its own. Rejected for a machine that is gone, unless its copy
        is there.
        """

    def copies(self, labels: Mapping[str, str], location: str = "") -> tuple[Copy, ...]:
        """Every copy with all `labels` that boots, or will boot, at `location`; "" is anywhere."""

    def discard(self, copy: Copy) -> None:
        """End a copy and all that stands on it; gone already is no error."""

    def delete(self, provider_id: str) -> tuple[str, ...]:
        """Delete the machine and whatever of ours hangs on it, as far as can be done now.

        Answers the ids of the orders under way for it, none where the cloud names none.

        Look with `find` until it is gone, and call again while it shows anything but DELETING.
        """

    def machines(self, labels: Mapping[str, str]) -> tuple[Machine, ...]:
        """Every machine at the cloud that carries all `labels`, from paged lists."""

    def billables(self, labels: Mapping[str, str]) -> tuple[Billable, ...]:
        """Everything at the cloud that costs money and is marked with all `labels`."""

    def remove(self, billable: Billable) -> None:
        """Order the end of one such thing, and of it alone; gone already is no error."""

    def charges(self, month: date) -> Charges | None:
        """What the cloud charges for that calendar month (its first day), thing by thing.

        None at a cloud that tells nobody so: its invoice is imported instead.
        """
