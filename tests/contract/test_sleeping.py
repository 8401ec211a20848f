"""A machine put to sleep and woken on each cloud: its bill stops, and nothing of it is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest

from provisioning.errors import NoCapacity
from provisioning.provider import BillableKind, Copy, CopyStatus, Machine, MachineStatus
from provisioning.sleeping import SleepStep
from tests.contract.sleeping import Bed, WakeStep, forget, next_wake_step, sleep_on, wake_on
from tests.contract.subjects import NAME, OURS, Subject
from tests.contract.test_provider import is_now, order, running
from tests.sandbox.hetzner.cloud_at_work import eventually

BED = Bed(NAME, {**OURS, "farm-sleep": "1"}, "asleep")
Step = SleepStep | WakeStep
_M, _C, _W = MachineStatus, CopyStatus, WakeStep


def until(end: Step, ask: Callable[[], Step]) -> list[Step]:
    """The steps that were taken until that one, each once where it was taken in a row."""
    steps: list[Step] = []

    def ended() -> bool:
        step = ask()
        if not steps or steps[-1] is not step:
            steps.append(step)
        return step is end

    eventually(ended)
    return steps


def asleep(cloud: Subject) -> list[Step]:
    """The steps until the machine sleeps."""
    return until(SleepStep.ASLEEP, lambda: sleep_on(cloud.provider, BED, insist=False))


def test_a_sleeping_machine_costs_what_only_its_disk_costs(cloud: Subject) -> None:
    running(cloud)
    taken = [step for step in asleep(cloud) if step is not SleepStep.WAIT]
    kinds = {bill.kind for bill in cloud.provider.billables(OURS) if bill.price.hourly}
    if cloud.provider.off_is_free:
        assert taken == [SleepStep.HALT, SleepStep.ASLEEP]
        assert kinds == {BillableKind.IPV4, BillableKind.VOLUME}
    else:
        assert taken == [SleepStep.HALT, SleepStep.COPY, SleepStep.DELETE, SleepStep.ASLEEP]
        assert kinds <= {BillableKind.SNAPSHOT}
        assert cloud.provider.machines({}) == ()


def test_a_machine_wakes_under_its_name_and_its_copy_is_forgotten(cloud: Subject) -> None:
    running(cloud)
    asleep(cloud)
    wish = replace(order(cloud), user_data="#cloud-config\n# woken\n")
    until(WakeStep.AWAKE, lambda: wake_on(cloud.provider, BED, wish))
    assert is_now(cloud, MachineStatus.RUNNING)
    assert len(cloud.provider.machines({})) == 1
    forget(cloud.provider, BED)
    kinds = [bill.kind for bill in cloud.provider.billables({})]
    assert len(kinds) == len(set(kinds))
    assert BillableKind.SNAPSHOT not in kinds


def test_a_machine_that_sleeps_twice_is_copied_anew(cloud: Subject) -> None:
    running(cloud)
    asleep(cloud)
    until(WakeStep.AWAKE, lambda: wake_on(cloud.provider, BED, order(cloud)))
    again = replace(BED, labels={**OURS, "farm-sleep": "2"})
    until(SleepStep.ASLEEP, lambda: sleep_on(cloud.provider, again, insist=True))
    forget(cloud.provider, BED)
    until(WakeStep.AWAKE, lambda: wake_on(cloud.provider, again, order(cloud)))


def test_nothing_free_at_wake_leaves_the_sleeper_as_it_is(cloud: Subject) -> None:
    running(cloud)
    asleep(cloud)
    before = {bill.id for bill in cloud.provider.billables({})}
    cloud.sell_out(cloud.goods.server_type, cloud.goods.location)
    with pytest.raises(NoCapacity):
        wake_on(cloud.provider, BED, order(cloud))
    assert {bill.id for bill in cloud.provider.billables({})} == before
    assert sleep_on(cloud.provider, BED, insist=False) is SleepStep.ASLEEP


def test_a_copy_that_came_to_nothing_is_made_again_before_anything_is_deleted(
    cloud: Subject,
) -> None:
    if cloud.provider.off_is_free:
        pytest.skip("nothing is copied where off is free")
    running(cloud)
    cloud.unmake()
    steps = asleep(cloud)
    assert SleepStep.DISCARD in steps
    assert steps.index(SleepStep.DISCARD) < steps.index(SleepStep.DELETE)


def test_what_is_nowhere_is_lost(cloud: Subject) -> None:
    assert sleep_on(cloud.provider, BED, insist=False) is SleepStep.LOST
    assert wake_on(cloud.provider, BED, order(cloud)) is WakeStep.LOST


def shown(status: MachineStatus | None) -> Machine | None:
    """A machine that a look shows so."""
    if status is None:
        return None
    return Machine("1", NAME, status, "127.1.0.1", "cx23", "fsn1", None, {})


def copied(status: CopyStatus | None) -> Copy | None:
    """A copy that a look shows so."""
    return None if status is None else Copy("7", "7", status, "", 2.0, 40, None, {})


@pytest.mark.parametrize(
    ("there", "kept", "step"),
    [
        (None, _C.READY, _W.RESTORE),
        (None, _C.MAKING, _W.WAIT),
        (None, _C.BROKEN, _W.LOST),
        (None, None, _W.LOST),
        (_M.OFF, None, _W.SWITCH_ON),
        (_M.OFF, _C.READY, _W.SWITCH_ON),
        (_M.STARTING, _C.READY, _W.WAIT),
        (_M.RUNNING, _C.READY, _W.AWAKE),
        (_M.UNFINISHED, _C.READY, _W.RESTORE),
        (_M.UNFINISHED, None, _W.WAIT),
        (_M.DELETING, _C.READY, _W.WAIT),
        (_M.UNKNOWN, _C.READY, _W.WAIT),
    ],
)
def test_each_look_has_one_next_step_back(
    there: MachineStatus | None, kept: CopyStatus | None, step: WakeStep
) -> None:
    assert next_wake_step(shown(there), copied(kept)) is step


def test_a_machine_that_is_there_is_never_joined_by_another() -> None:
    for there, kept in product(_M, (*_C, None)):
        step = next_wake_step(shown(there), copied(kept))
        assert (step is _W.RESTORE) <= (there is _M.UNFINISHED)
