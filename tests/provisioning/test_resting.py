"""How an agent falls asleep and is woken, as it is decided: from a snapshot alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from provisioning.lifecycle import next_agent_step, next_server_step
from provisioning.phases import AgentPhase, ServerPhase
from provisioning.steps import (
    AgentSnapshot,
    AgentStep,
    Kept,
    Machine,
    Power,
    Saving,
    ServerSnapshot,
    ServerStep,
    SetUp,
)
from tests.provisioning.test_lifecycle import AGENT, DEADLINES, NOW, SERVER, agents, servers

STOPPED = replace(AGENT, wanted_stopped=True)
resting = some.builds(
    replace,
    agents.map(lambda agent: replace(agent, wanted_deleted=False)),
    phase=some.sampled_from([AgentPhase.STOPPING, AgentPhase.STOPPED, AgentPhase.WAKING]),
    wanted_stopped=some.booleans(),
    kept=some.sampled_from(Kept),
    copies_left=some.integers(0, 2),
)
powered = some.builds(replace, servers, power=some.sampled_from(Power))


def step(agent: AgentSnapshot) -> AgentStep:
    return next_agent_step(agent, NOW, DEADLINES)


def step_of(server: ServerSnapshot) -> ServerStep:
    return next_server_step(server, NOW, DEADLINES)


def test_an_agent_falls_asleep_by_a_copy_or_by_being_off() -> None:
    running = replace(STOPPED, phase=AgentPhase.RUNNING, machine=Machine.READY)
    stopping = replace(running, phase=AgentPhase.STOPPING)
    still = replace(stopping, set_up=SetUp.STILL)
    walked = [
        step(snapshot)
        for snapshot in (
            replace(running, talking=True),
            replace(running, saving=Saving.UNDER_WAY),
            replace(running, saving=Saving.KEPT),
            stopping,
            still,
            replace(still, machine=Machine.HALTING, machines_left=1),
            replace(still, machine=Machine.LEAVING, machines_left=1, kept=Kept.READY),
            replace(still, machine=Machine.LEAVING, kept=Kept.READY),
            replace(still, machine=Machine.OFF, machines_left=1),
        )
    ]
    assert walked == [
        AgentStep.WAIT,
        AgentStep.WAIT,
        AgentStep.BEGIN_STOP,
        AgentStep.STILL,
        AgentStep.WAIT,
        AgentStep.WAIT,
        AgentStep.WAIT,
        AgentStep.SLEEP,
        AgentStep.SLEEP,
    ]


def test_an_agent_wakes_on_its_own_machine_or_on_one_from_its_copy() -> None:
    asleep = replace(AGENT, phase=AgentPhase.STOPPED, machine=Machine.LEAVING, kept=Kept.READY)
    waking = replace(asleep, phase=AgentPhase.WAKING)
    walked = [
        step(snapshot)
        for snapshot in (
            asleep,
            replace(waking, machines_left=1),
            waking,
            replace(waking, machine=Machine.COMING, machines_left=1),
            replace(waking, machine=Machine.READY, machines_left=1),
            replace(waking, machine=Machine.OFF, machines_left=1, kept=Kept.NOTHING),
        )
    ]
    assert walked == [
        AgentStep.BEGIN_WAKE,
        AgentStep.WAIT,
        AgentStep.PLACE_COPY,
        AgentStep.WAIT,
        AgentStep.CONFIGURE,
        AgentStep.RISE,
    ]


def test_a_backup_that_fails_keeps_nobody_awake() -> None:
    running = replace(STOPPED, phase=AgentPhase.RUNNING, machine=Machine.READY)
    assert step(replace(running, saving=Saving.FAILED)) is AgentStep.BEGIN_STOP


@given(resting)
def test_no_other_machine_is_asked_for_while_the_cloud_may_have_one(agent: AgentSnapshot) -> None:
    taken = step(replace(agent, machines_left=1))
    assert taken is not AgentStep.PLACE_COPY
    # Where it is sold out its own machine stays, and is surely off.
    assert taken is not AgentStep.PLACE_BACKUP or agent.machine is Machine.OFF


@given(resting)
def test_it_sleeps_only_once_what_it_has_is_kept(agent: AgentSnapshot) -> None:
    if step(agent) is AgentStep.SLEEP:
        assert agent.machine is Machine.OFF or agent.kept is Kept.READY


@given(resting)
def test_the_later_word_counts(agent: AgentSnapshot) -> None:
    over = {AgentStep.FAIL_DISTRUSTED, AgentStep.FAIL_COPY_LOST}
    stopping = replace(agent, phase=AgentPhase.STOPPING, wanted_stopped=False)
    assert step(stopping) in {AgentStep.BEGIN_WAKE, *over}
    waking = replace(agent, phase=AgentPhase.WAKING, wanted_stopped=True)
    assert step(waking) is AgentStep.LIE_DOWN


@given(resting)
def test_nothing_is_said_to_a_distrusted_machine(agent: AgentSnapshot) -> None:
    taken = step(replace(agent, machine=Machine.DISTRUSTED))
    assert taken not in {AgentStep.STILL, AgentStep.CONFIGURE, AgentStep.RISE}


@pytest.mark.parametrize("phase", [AgentPhase.STOPPING, AgentPhase.STOPPED, AgentPhase.WAKING])
def test_what_is_kept_nowhere_is_told(phase: AgentPhase) -> None:
    stopped = phase is not AgentPhase.WAKING
    agent = replace(AGENT, phase=phase, wanted_stopped=stopped, machine=Machine.LOST)
    assert step(agent) is AgentStep.FAIL_COPY_LOST


def test_only_its_own_machine_has_to_wake_in_time() -> None:
    waking = replace(AGENT, phase=AgentPhase.WAKING, kept=Kept.READY)
    late = NOW + DEADLINES.waking + timedelta(seconds=1)
    assert next_agent_step(waking, late, DEADLINES) is AgentStep.PLACE_COPY
    rising = replace(waking, machine=Machine.RISING, machines_left=1)
    assert next_agent_step(rising, late, DEADLINES) is AgentStep.FAIL_LATE


def test_machines_from_a_copy_are_not_bought_for_ever() -> None:
    waking = replace(AGENT, phase=AgentPhase.WAKING, machine=Machine.LEAVING, kept=Kept.READY)
    again = replace(waking, machines_failed=DEADLINES.machines)
    assert step(again) is AgentStep.FAIL_MACHINES


def test_an_unsaved_sleeper_is_not_deleted_without_a_word() -> None:
    sleeper = replace(STOPPED, phase=AgentPhase.STOPPED, kept=Kept.READY, wanted_deleted=True)
    assert step(replace(sleeper, saving=Saving.FAILED)) is AgentStep.HOLD
    assert step(replace(sleeper, saving=Saving.KEPT)) is AgentStep.LEAVE


@given(agents)
def test_nothing_is_called_deleted_while_a_copy_costs(agent: AgentSnapshot) -> None:
    leaving = replace(agent, wanted_deleted=True, copies_left=1)
    assert step(leaving) is not AgentStep.FINISH


@given(powered)
def test_a_machine_that_is_wanted_on_is_never_halted(server: ServerSnapshot) -> None:
    taken = step_of(replace(server, power=Power.ON))
    assert taken not in {ServerStep.SWITCH_OFF, ServerStep.HALT}


@given(powered)
def test_a_machine_that_is_to_be_off_is_never_switched_on(server: ServerSnapshot) -> None:
    for power in (Power.OFF, Power.ASLEEP):
        taken = step_of(replace(server, power=power))
        assert taken not in {ServerStep.SWITCH_ON, ServerStep.RISE}


def test_a_machine_goes_off_and_comes_back() -> None:
    asleep = replace(SERVER, power=Power.ASLEEP)
    phases = (ServerPhase.READY, ServerPhase.HALTING, ServerPhase.OFF)
    assert [step_of(replace(asleep, phase=phase)) for phase in phases] == [
        ServerStep.SWITCH_OFF,
        ServerStep.HALT,
        ServerStep.LOOK_OFF,
    ]
    back = (ServerPhase.HALTING, ServerPhase.OFF, ServerPhase.WAKING, ServerPhase.READY)
    assert [step_of(replace(SERVER, phase=phase)) for phase in back] == [
        ServerStep.SWITCH_ON,
        ServerStep.SWITCH_ON,
        ServerStep.RISE,
        ServerStep.LOOK,
    ]
