"""A whole cloud in memory that keeps the provider's contract: for tests of the engine.

Time passes by being looked at: each `find`, `machines` or `actions` moves every order one step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from enum import StrEnum

from provisioning.errors import (
    AnswerLost,
    NeedsOperator,
    NoCapacity,
    ProvisioningError,
    Rejected,
    Transient,
)
from provisioning.provider import (
    BUILD_LABEL,
    Action,
    ActionStatus,
    Billable,
    BillableKind,
    Charges,
    Copy,
    CopyStatus,
    Created,
    Firewall,
    Machine,
    MachineOrder,
    MachineStatus,
    Offer,
)
from tests.provisioning.memory_prices import (
    IPV4_PRICE,
    PRICES,
    TERABYTE_PRICE,
    bill,
    stray,
)

IMAGES = ("debian-12",)
MAX_USER_DATA = 32768
SNAPSHOT_GB = 2.0
READING = (
    "verify",
    "offers",
    "image_retires_at",
    "find",
    "actions",
    "copies",
    "machines",
    "billables",
    "charges",
)
PLACES = ("fsn1", "nbg1", "hel1")


class When(StrEnum):
    """On which side of a call's effect a fault strikes."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Fault:
    """The next call of that method raises `error`, before its effect or after it."""

    method: str
    error: ProvisioningError
    when: When = When.BEFORE


@dataclass(slots=True)
class MemoryProvider:
    """One project. Fill `sold_out` and `limit`, arm `faults`, read `machines_there` and `calls`.

    `cut` loses the answer to the n-th order from now; `spoil` has the next copy come to nothing.
    """

    name: str = "memory"
    off_is_free: bool = False
    now: datetime = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    limit: int = 100
    sold_out: set[tuple[str, str]] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)
    cut: int | None = None
    spoil: bool = False
    calls: list[str] = field(default_factory=list)
    machines_there: dict[str, Machine] = field(default_factory=dict)
    firewalls: dict[str, Firewall] = field(default_factory=dict)
    volumes: dict[str, dict[str, str]] = field(default_factory=dict)
    user_data: dict[str, str] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    restarted: list[str] = field(default_factory=list)
    rebuilt: list[str] = field(default_factory=list)
    _actions: dict[str, Action] = field(default_factory=dict)
    _copies: dict[str, Copy] = field(default_factory=dict)
    retires: dict[str, datetime] = field(default_factory=dict)
    _issued: int = 0

    def lose_answer(self, method: str) -> None:
        """The next call of that method has its effect, and its answer never comes."""
        self.faults.append(Fault(method, AnswerLost("no_answer", "No answer came."), When.AFTER))

    def verify(self) -> None:
        """Content, unless a fault is armed."""
        with self._call("verify"):
            return

    def offers(self) -> tuple[Offer, ...]:
        """Both types at every place."""
        with self._call("offers"):
            return tuple(
                Offer(
                    server_type=kind,
                    location=place,
                    available=(kind, place) not in self.sold_out,
                    price=price,
                    ipv4_price=IPV4_PRICE,
                    snapshot_price=TERABYTE_PRICE,
                    cores=2,
                    memory_gb=4.0,
                    disk_gb=40,
                )
                for kind, price in PRICES.items()
                for place in PLACES
            )

    def image_retires_at(self, name: str) -> datetime | None:
        """As was set."""
        with self._call("image_retires_at"):
            return self.retires.get(name)

    def find(self, name: str) -> Machine | None:
        """Look, after one step of time."""
        with self._call("find"):
            self._pass_time()
            return self._named(name)

    def create(self, order: MachineOrder) -> Created:
        """Make or adopt; refuses as the real clouds do."""
        with self._call("create"):
            self._check(order)
            self.firewalls[order.firewall.name] = order.firewall
            taken = self._named(order.name)
            if taken is not None:
                return Created(self._adopted(taken, order))
            self._check_room(order)
            machine = self._made(order)
            return Created(machine, (self._begin(), self._begin()))

    def admit(self, firewall: Firewall) -> None:
        """See Provider."""
        with self._call("admit"):
            self.firewalls[firewall.name] = firewall

    def actions(self, ids: Sequence[str]) -> tuple[Action, ...]:
        """How these stand, after one step of time."""
        with self._call("actions"):
            self._pass_time()
            return tuple(self._actions[number] for number in ids if number in self._actions)

    def shutdown(self, provider_id: str) -> None:
        """Off at once."""
        with self._call("shutdown"):
            self._switch(provider_id, MachineStatus.OFF)

    def power_on(self, provider_id: str) -> None:
        """On at once."""
        with self._call("power_on"):
            self._switch(provider_id, MachineStatus.RUNNING)

    def power_off(self, provider_id: str) -> None:
        """Off at once."""
        with self._call("power_off"):
            self._switch(provider_id, MachineStatus.OFF)

    def restart(self, provider_id: str) -> None:
        """At once."""
        with self._call("restart"):
            if self._status(provider_id) is MachineStatus.RUNNING:
                self.restarted.append(provider_id)

    def resize(self, provider_id: str, server_type: str) -> tuple[str, ...]:
        """At once."""
        with self._call("resize"):
            machine = self.machines_there.get(provider_id)
            if machine is None or machine.server_type == server_type:
                return ()
            if machine.status is not MachineStatus.OFF:
                raise Transient("server_not_stopped", f"{machine.name} is not off yet.")
            self._check_stock(server_type, machine.location)
            self.machines_there[provider_id] = replace(machine, server_type=server_type)
            return (self._begin(),)

    def rebuild(self, order: MachineOrder, *, wish: str) -> Created | None:
        """Starting again at once, with what it had but its disk."""
        with self._call("rebuild"):
            self._check(order)
            labels = {**order.labels, BUILD_LABEL: wish}
            taken = self._named(order.name)
            if taken is None:
                self._check_room(order)
                return Created(self._made(replace(order, labels=labels)), (self._begin(),))
            machine = self._adopted(taken, order)
            if machine.labels.get(BUILD_LABEL) == wish:
                return Created(machine)
            self.user_data[order.name] = order.user_data
            self.rebuilt.append(order.image)
            built = replace(machine, status=MachineStatus.STARTING, labels=labels)
            self.machines_there[machine.provider_id] = built
            return Created(built, (self._begin(),))

    def snapshot(self, provider_id: str, *, description: str, labels: Mapping[str, str]) -> Copy:
        """Available one step of time later."""
        with self._call("snapshot"):
            if there := self._with(labels):
                return there[-1]
            if provider_id not in self.machines_there:
                raise Rejected("not_found", f"There is no machine {provider_id} to copy.")
            number, spoilt = self._number(), self.spoil
            self.spoil = False
            self._copies[number] = Copy(
                id=number,
                image=number,
                status=CopyStatus.BROKEN if spoilt else CopyStatus.MAKING,
                location="",
                gigabytes=None,
                disk_gb=40,
                created_at=self.now,
                labels=dict(labels),
            )
            return self._copies[number]

    def copies(self, labels: Mapping[str, str], location: str = "") -> tuple[Copy, ...]:
        """Those with the labels, after one step of time."""
        with self._call("copies"):
            self._pass_time()
            return tuple(self._with(labels))

    def discard(self, copy: Copy) -> None:
        """Gone at once."""
        with self._call("discard"):
            self._copies.pop(copy.id, None)

    def delete(self, provider_id: str) -> tuple[str, ...]:
        """Gone one step of time later."""
        with self._call("delete"):
            self._switch(provider_id, MachineStatus.DELETING)
        return ()

    def machines(self, labels: Mapping[str, str]) -> tuple[Machine, ...]:
        """All that carry the labels, after one step of time."""
        with self._call("machines"):
            self._pass_time()
            return tuple(
                machine
                for machine in self.machines_there.values()
                if labels.items() <= machine.labels.items()
            )

    def billables(self, labels: Mapping[str, str]) -> tuple[Billable, ...]:
        """Each machine and its address, and each snapshot, that carry the labels."""
        with self._call("billables"):
            return tuple(bill for bill in self._bills() if labels.items() <= bill.labels.items())

    def remove(self, billable: Billable) -> None:
        """Gone one step of time later; an address goes with its machine."""
        with self._call("remove"):
            if billable.kind is BillableKind.VOLUME:
                self.volumes.pop(billable.id, None)
            if billable.kind is BillableKind.SNAPSHOT:
                self._copies.pop(billable.id, None)
            if billable.kind is BillableKind.SERVER:
                self._switch(billable.id, MachineStatus.DELETING)

    def charges(self, month: date) -> Charges | None:
        """It tells nobody."""
        with self._call("charges"):
            return None

    def _bills(self) -> Iterator[Billable]:
        for machine in self.machines_there.values():
            price = PRICES[machine.server_type]
            yield bill(BillableKind.SERVER, machine.provider_id, price, machine)
            yield bill(BillableKind.IPV4, f"ip-{machine.provider_id}", IPV4_PRICE, machine)
        for copy in self._copies.values():
            yield stray(BillableKind.SNAPSHOT, copy.id, copy.labels, self.now)
        for number, labels in self.volumes.items():
            yield stray(BillableKind.VOLUME, number, labels, self.now)

    def _with(self, labels: Mapping[str, str]) -> list[Copy]:
        there = self._copies.values()
        return [copy for copy in there if labels.items() <= copy.labels.items()]

    def _status(self, provider_id: str) -> MachineStatus | None:
        machine = self.machines_there.get(provider_id)
        return machine.status if machine else None

    def _switch(self, provider_id: str, status: MachineStatus) -> None:
        machine = self.machines_there.get(provider_id)
        if machine is not None and machine.status is not MachineStatus.DELETING:
            self.machines_there[provider_id] = replace(machine, status=status)

    @contextmanager
    def _call(self, method: str) -> Iterator[None]:
        self.calls.append(method)
        fault = self._struck(method)
        if fault is not None and fault.when is When.BEFORE:
            raise fault.error
        yield
        if fault is not None:
            raise fault.error

    def _struck(self, method: str) -> Fault | None:
        fault = next((one for one in self.faults if one.method == method), None)
        if fault is not None:
            self.faults.remove(fault)
        if fault is not None or self.cut is None or method in READING:
            return fault
        self.cut = self.cut - 1 or None
        if self.cut is None:
            return Fault(method, AnswerLost("no_answer", "No answer came."), When.AFTER)
        return None

    def _pass_time(self) -> None:
        for number, machine in list(self.machines_there.items()):
            if machine.status is MachineStatus.STARTING:
                self.machines_there[number] = replace(machine, status=MachineStatus.RUNNING)
            if machine.status is MachineStatus.DELETING:
                del self.machines_there[number]
                self.deleted.append(machine.name)
        for number, action in self._actions.items():
            self._actions[number] = replace(action, status=ActionStatus.SUCCESS)
        for number, copy in self._copies.items():
            if copy.status is CopyStatus.MAKING:
                ready = replace(copy, status=CopyStatus.READY, gigabytes=SNAPSHOT_GB)
                self._copies[number] = ready

    def _check(self, order: MachineOrder) -> None:
        if len(order.user_data.encode()) > MAX_USER_DATA:
            raise Rejected("user_data_too_long", "The machine's user-data exceeds 32,768 bytes.")
        if order.image not in IMAGES and order.image not in self._copies:
            raise Rejected("invalid_input", f"There is no image {order.image}.")

    def _check_room(self, order: MachineOrder) -> None:
        if len(self.machines_there) >= self.limit:
            raise NeedsOperator("resource_limit_exceeded", "The account is full: ask for more.")
        self._check_stock(order.server_type, order.location)

    def _check_stock(self, kind: str, place: str) -> None:
        if (kind, place) in self.sold_out or kind not in PRICES or place not in PLACES:
            raise NoCapacity("resource_unavailable", "There is none to be had there now.")

    def _adopted(self, taken: Machine, order: MachineOrder) -> Machine:
        if not order.labels.items() <= taken.labels.items():
            raise Rejected("name_taken", f"A machine named {order.name} is not ours.")
        return taken

    def _made(self, order: MachineOrder) -> Machine:
        number = self._number()
        self.user_data[order.name] = order.user_data
        machine = Machine(
            provider_id=number,
            name=order.name,
            status=MachineStatus.STARTING,
            ipv4=f"127.1.{int(number) // 250}.{int(number) % 250 + 1}",
            server_type=order.server_type,
            location=order.location,
            created_at=self.now,
            labels=dict(order.labels),
        )
        self.machines_there[number] = machine
        return machine

    def _named(self, name: str) -> Machine | None:
        there = self.machines_there.values()
        return next((machine for machine in there if machine.name == name), None)

    def _begin(self) -> str:
        action = Action(self._number(), ActionStatus.RUNNING)
        self._actions[action.id] = action
        return action.id

    def _number(self) -> str:
        self._issued += 1
        return str(self._issued)
