"""Drives a cloud's verbs until a machine sleeps, or is awake again: one look, one step at a time.

The farm's reconciler takes the same steps from its rows; here they are taken from the looks alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from provisioning.provider import Copy, CopyStatus, Machine, MachineOrder, MachineStatus, Provider
from provisioning.sleeping import SleepStep, next_sleep_step


class WakeStep(StrEnum):
    """One idempotent thing to do on the way back; AWAKE and LOST are its ends."""

    SWITCH_ON = "switch on"
    RESTORE = "restore"
    WAIT = "wait"
    AWAKE = "awake"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Bed:
    """Which machine sleeps, and the labels of its copy, which no other copy has all of.

    A sleep has labels of its own: what an earlier one left is never taken for its copy.
    """

    name: str
    labels: Mapping[str, str]
    description: str


def next_wake_step(machine: Machine | None, copy: Copy | None) -> WakeStep:
    """What is next on the way back; a machine that is there is never joined by another.

    It goes before the copy: as long as it is there it has what the copy has, or more.
    """
    if machine is None:
        return _step_of_asleep(copy)
    return {
        MachineStatus.OFF: WakeStep.SWITCH_ON,
        MachineStatus.RUNNING: WakeStep.AWAKE,
        MachineStatus.UNFINISHED: WakeStep.RESTORE if copy else WakeStep.WAIT,
    }.get(machine.status, WakeStep.WAIT)


def _step_of_asleep(copy: Copy | None) -> WakeStep:
    if copy is None or copy.status is CopyStatus.BROKEN:
        return WakeStep.LOST
    return WakeStep.RESTORE if copy.status is CopyStatus.READY else WakeStep.WAIT


def sleep_on(provider: Provider, bed: Bed, *, insist: bool) -> SleepStep:
    """Look, and take one step towards sleep: two or three calls. The gateway is stopped before.

    `insist` pulls the plug of a machine that does not halt by itself. Any error may be met by
    calling again. Where off is free there is nothing to look for but the machine.
    """
    machine = provider.find(bed.name)
    copy = None if provider.off_is_free else _copy_in(provider, bed)
    step = next_sleep_step(machine, copy, off_is_free=provider.off_is_free)
    if machine is not None:
        _take(provider, bed, machine, step, insist=insist)
    if copy is not None and step is SleepStep.DISCARD:
        provider.discard(copy)
    return step


def _take(provider: Provider, bed: Bed, machine: Machine, step: SleepStep, *, insist: bool) -> None:
    match step:
        case SleepStep.HALT if insist:
            provider.power_off(machine.provider_id)
        case SleepStep.HALT:
            provider.shutdown(machine.provider_id)
        case SleepStep.COPY:
            provider.snapshot(machine.provider_id, description=bed.description, labels=bed.labels)
        case SleepStep.DELETE:
            provider.delete(machine.provider_id)
        case _:
            return


def wake_on(provider: Provider, bed: Bed, order: MachineOrder) -> WakeStep:
    """Look, and take one step towards a machine that runs: two or three calls.

    `order` says what to restore the copy as, with its own user-data and name; its image is that of
    the copy. NoCapacity when there is none to be had: the copy stays. AWAKE says that the power is
    on; discard the copy, with `forget`, when the agent has answered.
    """
    machine = provider.find(bed.name) or provider.find(order.name)
    copy = None if provider.off_is_free else _copy_in(provider, bed)
    step = next_wake_step(machine, copy)
    if step is WakeStep.SWITCH_ON and machine is not None:
        provider.power_on(machine.provider_id)
    if step is WakeStep.RESTORE and copy is not None:
        provider.create(_restoring(order, copy))
    return step


def forget(provider: Provider, bed: Bed) -> None:
    """End every copy of that sleep; it was woken, or is never to be."""
    for copy in provider.copies(bed.labels):
        provider.discard(copy)


def _copy_in(provider: Provider, bed: Bed) -> Copy | None:
    """The best copy of that sleep: two can only come of two orders at the same moment."""
    ranks = (CopyStatus.READY, CopyStatus.MAKING, CopyStatus.BROKEN)
    there = provider.copies(bed.labels)
    return min(there, key=lambda copy: ranks.index(copy.status), default=None)


def _restoring(order: MachineOrder, copy: Copy) -> MachineOrder:
    return replace(order, image=copy.image)
