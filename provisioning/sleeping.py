"""A machine put to sleep so that its bill stops: what is next is decided from a look.

Where a machine that is off costs its full price it is copied and deleted; where it does not, off is
asleep.
"""

from __future__ import annotations

from enum import StrEnum

from provisioning.provider import Copy, CopyStatus, Machine, MachineStatus


class SleepStep(StrEnum):
    """One idempotent thing to do on the way to sleep; ASLEEP and LOST are its ends."""

    HALT = "halt"
    COPY = "copy"
    DISCARD = "discard"
    DELETE = "delete"
    WAIT = "wait"
    ASLEEP = "asleep"
    LOST = "lost"


def next_sleep_step(machine: Machine | None, copy: Copy | None, *, off_is_free: bool) -> SleepStep:
    """What is next on the way to sleep; nothing is deleted before its copy boots.

    LOST when neither the machine nor a copy that will ever boot is there.
    """
    if machine is None:
        return _step_of_gone(copy)
    match machine.status:
        case MachineStatus.RUNNING:
            # It may have written since it was copied.
            return SleepStep.DISCARD if copy else SleepStep.HALT
        case MachineStatus.OFF:
            return SleepStep.ASLEEP if off_is_free else _step_of_off(copy)
        case MachineStatus.UNFINISHED if copy and copy.status is CopyStatus.READY:
            return SleepStep.DELETE
        case _:
            return SleepStep.WAIT


def _step_of_gone(copy: Copy | None) -> SleepStep:
    if copy is None or copy.status is CopyStatus.BROKEN:
        return SleepStep.LOST
    return SleepStep.ASLEEP if copy.status is CopyStatus.READY else SleepStep.WAIT


def _step_of_off(copy: Copy | None) -> SleepStep:
    if copy is None or (copy.status is CopyStatus.MAKING and not copy.image):
        return SleepStep.COPY
    return {
        CopyStatus.MAKING: SleepStep.WAIT,
        CopyStatus.READY: SleepStep.DELETE,
        CopyStatus.BROKEN: SleepStep.DISCARD,
    }[copy.status]
