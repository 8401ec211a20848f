"""Every flow cut after its n-th order and taken up by a new process.

A cut before an order is one after the order before it. In the end what was desired is there once,
and nothing else costs anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import pytest

from provisioning.errors import Transient
from provisioning.provider import (
    BUILD_LABEL,
    BillableKind,
    CopyStatus,
    Machine,
    MachineOrder,
    MachineStatus,
    Provider,
)
from provisioning.sleeping import SleepStep
from tests.contract.sleeping import Bed, WakeStep, forget, sleep_on, wake_on
from tests.contract.subjects import OURS, Subject, order_of
from tests.sandbox.hetzner.cloud_at_work import eventually

WHOLE = {BillableKind.SERVER, BillableKind.IPV4, BillableKind.VOLUME}
MOST_ORDERS = 20


@dataclass(frozen=True, slots=True)
class Trial:
    """One machine of a flow that is cut: its order, and the labels of its copy."""

    order: MachineOrder
    bigger: str

    @property
    def copy(self) -> dict[str, str]:
        """What no other copy has all of."""
        return {**OURS, "farm-copy": self.order.name}

    @property
    def bed(self) -> Bed:
        """Where it sleeps."""
        return Bed(self.order.name, self.copy, "asleep")

    def found(self, provider: Provider) -> Machine | None:
        """The machine."""
        return provider.find(self.order.name)

    def is_now(self, provider: Provider, status: MachineStatus) -> bool:
        """Whether it is shown so."""
        machine = self.found(provider)
        return machine is not None and machine.status is status


Ask = Callable[[Provider, Trial], bool]


def made(provider: Provider, trial: Trial) -> bool:
    """It is ordered until it runs."""
    machine = trial.found(provider)
    if machine is None or machine.status is MachineStatus.UNFINISHED:
        provider.create(trial.order)
    return trial.is_now(provider, MachineStatus.RUNNING)


def rebuilt(provider: Provider, trial: Trial) -> bool:
    """It is rebuilt until it runs with a disk for this wish."""
    done = provider.rebuild(trial.order, wish="w1")
    machine = trial.found(provider)
    marked = machine is not None and machine.labels.get(BUILD_LABEL) == "w1"
    return bool(done) and marked and trial.is_now(provider, MachineStatus.RUNNING)


def resized(provider: Provider, trial: Trial) -> bool:
    """It is switched off, made another type, and switched on."""
    machine = trial.found(provider)
    assert machine
    if machine.server_type != trial.bigger:
        provider.power_off(machine.provider_id)
        provider.resize(machine.provider_id, trial.bigger)
        return False
    provider.power_on(machine.provider_id)
    return trial.is_now(provider, MachineStatus.RUNNING)


def asleep(provider: Provider, trial: Trial) -> bool:
    """It is put to sleep."""
    return sleep_on(provider, trial.bed, insist=True) is SleepStep.ASLEEP


def awake(provider: Provider, trial: Trial) -> bool:
    """It is woken, and its copy forgotten."""
    if wake_on(provider, trial.bed, trial.order) is not WakeStep.AWAKE:
        return False
    forget(provider, trial.bed)
    return True


def copied(provider: Provider, trial: Trial) -> bool:
    """It is copied."""
    machine = trial.found(provider)
    assert machine
    provider.snapshot(machine.provider_id, description="copy", labels=trial.copy)
    return [copy.status for copy in provider.copies(trial.copy)] == [CopyStatus.READY]


def discarded(provider: Provider, trial: Trial) -> bool:
    """Its copy is ended."""
    forget(provider, trial.bed)
    return True


def gone(provider: Provider, trial: Trial) -> bool:
    """It is deleted until it is nowhere."""
    machine = trial.found(provider)
    if machine is not None and machine.status is not MachineStatus.DELETING:
        provider.delete(machine.provider_id)
    return machine is None


FLOWS: dict[str, tuple[tuple[Ask, ...], Ask, bool]] = {
    "create": ((), made, True),
    "rebuild": ((made,), rebuilt, True),
    "resize": ((made,), resized, True),
    "sleep": ((made,), asleep, False),
    "wake": ((made, asleep), awake, True),
    "copy": ((made,), copied, True),
    "discard": ((made, copied), discarded, True),
    "delete": ((made,), gone, False),
}
"""By name: what is done before, what is cut, and whether a whole machine is there in the end."""


def carried_out(cloud: Subject, ask: Ask, trial: Trial) -> None:
    """Ask until it is done, as a process that was killed at each error and started anew."""

    def done() -> bool:
        try:
            return ask(cloud.anew(), trial)
        except Transient:
            return False

    eventually(done)


def is_clean(cloud: Subject, trial: Trial, *, whole: bool) -> bool:
    """Whether each thing of the machine's costs once, and all of it is there or only its disk."""
    bills = [bill for bill in cloud.provider.billables(OURS) if bill.price.hourly]
    once = len(bills) == len({bill.kind for bill in bills})
    kinds = {bill.kind for bill in bills} - {BillableKind.SNAPSHOT}
    machines = [machine.name for machine in cloud.provider.machines(OURS)]
    there = not whole or machines == [trial.order.name]
    return once and there and (kinds <= WHOLE if whole else BillableKind.SERVER not in kinds)


@pytest.mark.parametrize("flow", FLOWS)
def test_a_flow_that_is_cut_at_any_order_ends_as_if_it_were_not(cloud: Subject, flow: str) -> None:
    before, cut, whole = FLOWS[flow]
    for number in range(1, MOST_ORDERS):
        trial = Trial(replace(order_of(cloud.goods), name=f"farm-k{number}"), cloud.goods.bigger)
        for ask in before:
            carried_out(cloud, ask, trial)
        cloud.cut(number)
        carried_out(cloud, cut, trial)
        was_cut = cloud.is_cut()
        eventually(partial(is_clean, cloud, trial, whole=whole))
        for ask in (discarded, gone):
            carried_out(cloud, ask, trial)
        assert cloud.provider.billables({}) == ()
        if not was_cut:
            assert number > 1
            return
    pytest.fail(f"It took more than {MOST_ORDERS} orders.")
