"""What is next for an agent that is to sleep, sleeps, or is woken: decided from a snapshot."""

from __future__ import annotations

from datetime import datetime, timedelta

from provisioning.phases import AgentPhase
from provisioning.steps import AgentSnapshot, AgentStep, Deadlines, Kept, Machine, Saving, SetUp

GOING_OFF = (Machine.HALTING, Machine.RISING, Machine.COMING)
COMING_ON = (Machine.HALTING, Machine.OFF, Machine.RISING)


def step_of_resting(agent: AgentSnapshot, now: datetime, deadlines: Deadlines) -> AgentStep | None:
    """None for an agent whose step has nothing to do with sleep."""
    match agent.phase:
        case AgentPhase.STOPPING:
            return _step_of_stopping(agent)
        case AgentPhase.STOPPED:
            return _step_of_stopped(agent)
        case AgentPhase.WAKING:
            return _step_of_waking(agent, now - agent.phase_since, deadlines)
        case AgentPhase.PLACING | AgentPhase.RESTORING if agent.wanted_stopped:
            # It was to wake from its backup; the copy that it slept with is still there.
            return AgentStep.LIE_DOWN
        case AgentPhase.RUNNING | AgentPhase.CONFIGURING if agent.wanted_stopped:
            return _step_towards_sleep(agent)
        case _:
            return None


def _step_towards_sleep(agent: AgentSnapshot) -> AgentStep | None:
    """What it has is saved first; a backup that fails keeps nobody awake, for its disk is kept."""
    if agent.machine is not Machine.READY:
        return None
    if agent.talking or agent.saving is Saving.UNDER_WAY:
        return AgentStep.WAIT
    return AgentStep.BEGIN_STOP


def _step_of_stopping(agent: AgentSnapshot) -> AgentStep:
    if agent.machine is Machine.DISTRUSTED:
        return AgentStep.FAIL_DISTRUSTED
    if not agent.wanted_stopped:
        return AgentStep.BEGIN_WAKE
    if agent.machine is Machine.READY:
        return AgentStep.WAIT if agent.set_up is SetUp.STILL else AgentStep.STILL
    if agent.machine is Machine.OFF:
        return AgentStep.SLEEP
    if agent.machine in GOING_OFF or agent.machines_left:
        return AgentStep.WAIT
    return {
        Kept.READY: AgentStep.SLEEP,
        Kept.COMING: AgentStep.WAIT,
        Kept.NOTHING: AgentStep.FAIL_COPY_LOST,
    }[agent.kept]


def _step_of_stopped(agent: AgentSnapshot) -> AgentStep:
    if not agent.wanted_stopped:
        return AgentStep.BEGIN_WAKE
    there = agent.machine in (Machine.READY, *COMING_ON) or agent.kept is not Kept.NOTHING
    if not there:
        return AgentStep.FAIL_COPY_LOST
    return AgentStep.REST if agent.fulfilled else AgentStep.SETTLE


_WHEN_WAKING = {
    Machine.DISTRUSTED: AgentStep.FAIL_DISTRUSTED,
    Machine.READY: AgentStep.CONFIGURE,
    Machine.COMING: AgentStep.WAIT,
}


def _step_of_waking(agent: AgentSnapshot, waited: timedelta, deadlines: Deadlines) -> AgentStep:
    if agent.wanted_stopped:
        return AgentStep.LIE_DOWN
    if step := _WHEN_WAKING.get(agent.machine):
        return step
    if agent.machine in COMING_ON:
        return _step_of_coming_on(agent, waited, deadlines)
    return _step_without_machine(agent, deadlines)


def _step_without_machine(agent: AgentSnapshot, deadlines: Deadlines) -> AgentStep:
    """As long as the cloud may have one of its machines no other is asked for."""
    if agent.machines_left or agent.kept is Kept.COMING:
        return AgentStep.WAIT
    if agent.to_restore:
        return AgentStep.PLACE_BACKUP
    if agent.kept is Kept.NOTHING:
        return AgentStep.FAIL_COPY_LOST
    given_up = agent.machines_failed >= deadlines.machines
    return AgentStep.FAIL_MACHINES if given_up else AgentStep.PLACE_COPY


def _step_of_coming_on(agent: AgentSnapshot, waited: timedelta, deadlines: Deadlines) -> AgentStep:
    """Its own machine is still there: it has what the copy has, or more, so no other is made."""
    if agent.to_restore:
        # It is sold out: what was saved goes onto another one, once this one is surely off.
        return AgentStep.PLACE_BACKUP if agent.machine is Machine.OFF else AgentStep.WAIT
    return AgentStep.FAIL_LATE if waited > deadlines.waking else AgentStep.RISE
