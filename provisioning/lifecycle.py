"""What is to be done next for a server or an agent: decided from a snapshot alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from provisioning.phases import AgentPhase, ServerPhase

LONGEST_BACK_OFF = 60.0
LONGEST_POLL = 5.0


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a wait may last, and how often a start may fail, before something else is done."""

    creating: timedelta = timedelta(minutes=15)
    booting: timedelta = timedelta(minutes=6)
    restoring: timedelta = timedelta(minutes=30)
    configuring: timedelta = timedelta(minutes=10)
    capacity: timedelta = timedelta(minutes=5)
    settling: timedelta = timedelta(seconds=30)
    """How long after a create with no answer a machine may still come to light."""
    machines: int = 3


class ServerStep(StrEnum):
    """One idempotent thing to do for a server."""

    REST = "rest"
    ORDER = "order"
    SEEK_AND_ORDER = "seek and order"
    DROP = "drop"
    LOOK = "look"
    LOOK_AGAIN = "look again"
    SEEK_AND_REMOVE = "seek and remove"
    POLL = "poll"
    KNOCK = "knock"
    REMOVE = "remove"
    CONFIRM_GONE = "confirm gone"
    GIVE_UP_CREATING = "give up creating"
    GIVE_UP_BOOTING = "give up booting"


@dataclass(frozen=True, slots=True)
class ServerSnapshot:
    """All that decides what is next for a server.

    `create_sent` says that a create may have reached the cloud; `distrusted` that the machine
    showed another host key than ours.
    """

    phase: ServerPhase
    phase_since: datetime
    wanted_gone: bool
    create_sent: bool
    distrusted: bool


def next_server_step(server: ServerSnapshot, now: datetime, deadlines: Deadlines) -> ServerStep:
    """What is to be done for a server now; one that is ready or gone is looked at if rung for."""
    match server.phase:
        case ServerPhase.REQUESTED:
            return _step_of_requested(server)
        case ServerPhase.CREATING | ServerPhase.BOOTING | ServerPhase.READY if server.wanted_gone:
            return ServerStep.REMOVE
        case ServerPhase.CREATING | ServerPhase.BOOTING:
            return _step_of_coming(server, now - server.phase_since, deadlines)
        case ServerPhase.READY:
            return ServerStep.LOOK
        case ServerPhase.DELETING:
            return ServerStep.CONFIRM_GONE
        case _:
            return ServerStep.LOOK_AGAIN


def _step_of_coming(server: ServerSnapshot, waited: timedelta, deadlines: Deadlines) -> ServerStep:
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


class AgentStep(StrEnum):
    """One idempotent thing to do for an agent."""

    REST = "rest"
    WAIT = "wait"
    PLACE = "place"
    BEGIN_RESTORE = "begin restore"
    RESTORE = "restore"
    GIVE_UP_RESTORE = "give up restore"
    CONFIGURE = "configure"
    WRITE = "write"
    START = "start"
    GATE = "gate"
    GREET = "greet"
    START_OVER = "start over"
    HOLD = "hold"
    LEAVE = "leave"
    FINISH = "finish"
    FAIL_DISTRUSTED = "fail: distrusted"
    FAIL_LOST = "fail: lost"
    FAIL_MACHINES = "fail: machines"
    FAIL_REFUSED = "fail: refused"
    FAIL_LATE = "fail: late"


class SetUp(StrEnum):
    """How far the set-up of an agent on its machine has come."""

    NOTHING = ""
    WRITTEN = "written"
    STARTED = "started"
    READY = "ready"


class Saving(StrEnum):
    """How the backup stands that is made before something is lost."""

    NOTHING = ""
    UNDER_WAY = "under way"
    KEPT = "kept"
    FAILED = "failed"


class Machine(StrEnum):
    """What an agent needs to know of its newest machine."""

    NONE = "none"
    COMING = "coming"
    READY = "ready"
    LEAVING = "leaving"
    LOST = "lost"
    REFUSED = "refused"
    DISTRUSTED = "distrusted"


@dataclass(frozen=True, slots=True)
class AgentSnapshot:
    """All that decides what is next for an agent.

    `machines_failed` counts those that did not come up since the wish began; `machines_left` those
    that the cloud may still have; `fulfilled` says that the last wish was dealt with; `to_restore`
    that its machine is to have what a backup holds.
    """

    phase: AgentPhase
    phase_since: datetime
    wanted_deleted: bool
    fulfilled: bool
    has_run: bool
    talking: bool
    set_up: SetUp
    machine: Machine
    machines_failed: int
    machines_left: int
    to_restore: bool = False
    saving: Saving = Saving.NOTHING


def next_agent_step(agent: AgentSnapshot, now: datetime, deadlines: Deadlines) -> AgentStep:
    """What is to be done for an agent now."""
    if agent.wanted_deleted:
        return _step_of_leaving(agent)
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
        # Where no machine serves any more there is nothing to save.
        there = agent.machine is Machine.READY
        return _WHEN_SAVING.get(agent.saving, AgentStep.LEAVE) if there else AgentStep.LEAVE
    return AgentStep.WAIT if agent.machines_left else AgentStep.FINISH


_WHEN_PLACING = {
    Machine.DISTRUSTED: AgentStep.FAIL_DISTRUSTED,
    Machine.REFUSED: AgentStep.FAIL_REFUSED,
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
