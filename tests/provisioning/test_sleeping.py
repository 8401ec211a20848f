"""What is next on the way to sleep, from what a look shows."""

from __future__ import annotations

from itertools import product

import pytest

from provisioning.provider import Copy, CopyStatus, Machine, MachineStatus
from provisioning.sleeping import SleepStep, next_sleep_step

_M, _C, _S = MachineStatus, CopyStatus, SleepStep


def machine(status: MachineStatus | None) -> Machine | None:
    if status is None:
        return None
    return Machine("1", "farm-s1", status, "127.1.0.1", "cx23", "fsn1", None, {})


def copy(status: CopyStatus | None, image: str = "7") -> Copy | None:
    return None if status is None else Copy("7", image, status, "", 2.0, 40, None, {})


@pytest.mark.parametrize(
    ("there", "copied", "step"),
    [
        (_M.STARTING, None, _S.WAIT),
        (_M.RUNNING, None, _S.HALT),
        (_M.RUNNING, _C.READY, _S.DISCARD),
        (_M.OFF, None, _S.COPY),
        (_M.OFF, _C.MAKING, _S.WAIT),
        (_M.OFF, _C.BROKEN, _S.DISCARD),
        (_M.OFF, _C.READY, _S.DELETE),
        (_M.DELETING, _C.READY, _S.WAIT),
        (_M.UNFINISHED, _C.READY, _S.DELETE),
        (_M.UNFINISHED, None, _S.WAIT),
        (None, _C.READY, _S.ASLEEP),
        (None, _C.MAKING, _S.WAIT),
        (None, _C.BROKEN, _S.LOST),
        (None, None, _S.LOST),
    ],
)
def test_each_look_has_one_next_step_to_sleep(
    there: MachineStatus | None, copied: CopyStatus | None, step: SleepStep
) -> None:
    assert next_sleep_step(machine(there), copy(copied), off_is_free=False) is step


def test_nothing_is_ever_deleted_before_its_copy_boots() -> None:
    for there, copied in product((*_M, None), (*_C, None)):
        step = next_sleep_step(machine(there), copy(copied), off_is_free=False)
        if step is _S.DELETE:
            assert (there, copied) in {(_M.OFF, _C.READY), (_M.UNFINISHED, _C.READY)}


def test_a_copy_without_its_image_is_made_whole() -> None:
    step = next_sleep_step(machine(_M.OFF), copy(_C.MAKING, image=""), off_is_free=False)
    assert step is _S.COPY


def test_where_off_is_free_off_is_asleep_and_nothing_is_deleted() -> None:
    assert next_sleep_step(machine(_M.OFF), None, off_is_free=True) is _S.ASLEEP
    assert next_sleep_step(machine(_M.RUNNING), None, off_is_free=True) is _S.HALT
