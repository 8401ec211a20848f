"""What is to be done next for a server or an agent: decided from a snapshot alone."""

from __future__ import annotations

from datetime import datetime, timedelta

from provisioning.phases import AgentPhase, ServerPhase
from provisioning.powering import step_of_power
from provisioning.resting import step_of_resting
from provisioning.steps import (
    AgentSnapshot,
    AgentStep,
    Deadlines,
    Kept,
    Machine,
    Saving,
    ServerSnapshot,
    ServerStep,
    SetUp,
)

LONGEST_BACK_OFF = 60.0
LONGEST_POLL = 5.0
THERE = (Machine.READY, Machine.HALTING, Machine.OFF, Machine.RISING)


def next_server_step(server: ServerSnapshot, now: datetime, deadlines: Deadlines) -> ServerStep:
    """What is to be done for a server now; one that is ready or gone is looked at if rung for."""
    match server.phase:
        case ServerPhase.REQUESTED:
            return _step_of_requested(server)
        case ServerPhase.DELETING:
            return ServerStep.CONFIRM_GONE
        case ServerPhase.GONE | ServerPhase.LOST:
            return ServerStep.LOOK_AGAIN
        case _ if server.wanted_gone:
            return ServerStep.REMOVE
        case ServerPhase.CREATING | ServerPhase.BOOTING:
            return _step_of_coming(server, now - server.phase_since, deadlines)
        case _:
            return step_of_power(server)


def _step_of_coming(server: ServerSnapshot, waited: timedelta, deadlines: Deadlines) -> ServerStep:
    if server.missed:
        return ServerStep.LOOK
    if server.phase is ServerPhase.CREATING:
        late = waited > deadlines.creating
        return ServerStep.GIVE_UP_CREATING if late else ServerStep.POLL
    if server.distrusted:
        return ServerStep.REST
    return ServerStep.GIVE_UP_BOOTING if waited > deadlines.booting else ServerStep.KNOCK


def _step_of_requested(server: ServerSnapshot) -> ServerStep:
    if server.wanted_gone:
        return ServerStep.SEEK_AND_REMOVE if server.create_sent else ServerStep.DROP
    return ServerStep.SEEK_AND_ORDER if server.create_sent else ServerStep.ORDER


def next_agent_step(agent: AgentSnapshot, now: datetime, deadlines: Deadlines) -> AgentStep:
    """What is to be done for an agent now."""
    if agent.wanted_deleted:
        return _step_of_leaving(agent)
    return step_of_resting(agent, now, deadlines) or _step_of_staying(agent, now, deadlines)


def _step_of_staying(agent: AgentSnapshot, now: datetime, deadlines: Deadlines) -> AgentStep:
    match agent.phase:
        case AgentPhase.PLACING:
            return _step_of_placing(agent, deadlines)
        case AgentPhase.RESTORING | AgentPhase.CONFIGURING:
            return _step_of_waking(agent, now - agent.phase_since, deadlines)
        case AgentPhase.RUNNING:
            return _step_of_running(agent)
        case AgentPhase.FAILED | AgentPhase.DELETED if not agent.fulfilled:
            return AgentStep.START_OVER
        case _:
            return AgentStep.REST


def _step_of_waking(agent: AgentSnapshot, waited: timedelta, deadlines: Deadlines) -> AgentStep:
    if agent.phase is AgentPhase.RESTORING:
        return _step_of_restoring(agent, waited, deadlines)
    return _step_of_configuring(agent, waited, deadlines)


_WHEN_SAVING = {Saving.UNDER_WAY: AgentStep.WAIT, Saving.FAILED: AgentStep.HOLD}


def _step_of_leaving(agent: AgentSnapshot) -> AgentStep:
    if agent.phase is AgentPhase.DELETED:
        return AgentStep.REST
    if agent.phase is not AgentPhase.DELETING:
        # Where neither a machine nor a copy of one is left there is nothing to save.
        there = agent.machine in THERE or agent.kept is not Kept.NOTHING
        return _WHEN_SAVING.get(agent.saving, AgentStep.LEAVE) if there else AgentStep.LEAVE
    left = agent.machines_left or agent.copies_left
    return AgentStep.WAIT if left else AgentStep.FINISH


_WHEN_PLACING = {
    Machine.DISTRUSTED: AgentStep.FAIL_DISTRUSTED,
    Machine.COMING: AgentStep.WAIT,
}


def _step_of_placing(agent: AgentSnapshot, deadlines: Deadlines) -> AgentStep:
    if step := _WHEN_PLACING.get(agent.machine):
        return step
    if agent.machine is Machine.READY:
        return AgentStep.BEGIN_RESTORE if agent.to_restore else AgentStep.CONFIGURE
    given_up = agent.machines_failed >= deadlines.machines
    return AgentStep.FAIL_MACHINES if given_up else AgentStep.PLACE


def _step_of_restoring(agent: AgentSnapshot, waited: timedelta, deadlines: Deadlines) -> AgentStep:
    if agent.machine is Machine.DISTRUSTED:
        return AgentStep.FAIL_DISTRUSTED
    if agent.machine is not Machine.READY:
        return AgentStep.FAIL_LOST if agent.has_run else AgentStep.START_OVER
    return AgentStep.FAIL_LATE if waited > deadlines.restoring else AgentStep.RESTORE


def _step_of_configuring(
    agent: AgentSnapshot, waited: timedelta, deadlines: Deadlines
) -> AgentStep:
    if agent.machine is Machine.DISTRUSTED:
        return AgentStep.FAIL_DISTRUSTED
    if agent.machine is not Machine.READY:
        # A machine that never served held nothing: another one does as well.
        return AgentStep.FAIL_LOST if agent.has_run else AgentStep.START_OVER
    if waited > deadlines.configuring:
        return AgentStep.FAIL_LATE
    return {
        SetUp.NOTHING: AgentStep.WRITE,
        SetUp.WRITTEN: AgentStep.START,
        SetUp.STARTED: AgentStep.GATE,
        SetUp.READY: AgentStep.GREET,
    }[agent.set_up]


def _step_of_running(agent: AgentSnapshot) -> AgentStep:
    if agent.machine is Machine.DISTRUSTED:
        return AgentStep.FAIL_DISTRUSTED
    if agent.machine is not Machine.READY:
        return AgentStep.FAIL_LOST
    if agent.fulfilled:
        return AgentStep.REST
    return _step_of_change(agent)


def _step_of_change(agent: AgentSnapshot) -> AgentStep:
    if agent.to_restore and agent.saving is Saving.FAILED:
        return AgentStep.GIVE_UP_RESTORE
    is_saved_first = agent.to_restore and agent.saving is Saving.UNDER_WAY
    # A restart would cut off the answer that its member is waiting for.
    if agent.talking or is_saved_first:
        return AgentStep.WAIT
    return AgentStep.BEGIN_RESTORE if agent.to_restore else AgentStep.CONFIGURE


def back_off(attempts: int, jitter: float) -> timedelta:
    """How long to wait after `attempts` failures in a row: doubling from a second to a minute.

    `jitter` is within 0..1 and spreads the waits over half to one and a half of that.
    """
    seconds = min(LONGEST_BACK_OFF, 2.0 ** min(max(attempts, 1) - 1, 10))
    return timedelta(seconds=seconds * (0.5 + jitter))


def poll_delay(waited: timedelta, jitter: float) -> timedelta:
    """How long until the next look at something under way: the longer it took, the rarer."""
    seconds = min(LONGEST_POLL, 0.3 + max(waited.total_seconds(), 0.0) / 20)
    return timedelta(seconds=seconds * (0.75 + jitter / 2))
