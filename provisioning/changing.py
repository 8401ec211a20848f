"""What is next for an agent whose machine changes: another size, or another one in its place.

Whatever fails before the other machine has answered leads back to the one that was there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from provisioning.phases import AgentPhase
from provisioning.steps import Deadlines, Machine, Saving, SetUp


class Change(StrEnum):
    """What is to be done once to the machine of an agent."""

    NOTHING = ""
    RESIZE = "resize"
    REPLACE = "replace"


class ChangeStep(StrEnum):
    """One idempotent thing to do for an agent whose machine changes."""

    WAIT = "wait"
    PLACE_SUCCESSOR = "place successor"
    BEGIN_SWITCH = "begin switch"
    SILENCE = "silence"
    SAVE = "save"
    PULL_THE_PLUG = "pull the plug"
    TAKE_OVER = "take over"
    GIVE_BACK = "give back"
    RETURN = "return"
    SWITCH_ON = "switch on"
    BEGIN_RESIZE = "begin resize"
    HALT = "halt"
    RECONFIGURE = "reconfigure"
    GIVE_UP_SUCCESSOR = "give up: successor"
    GIVE_UP_BACKUP = "give up: backup"
    GIVE_UP_MACHINE = "give up: machine"
    GIVE_UP_LATE = "give up: late"
    GIVE_UP_TYPE = "give up: type"
    FAIL_LOST = "fail: lost"
    FAIL_DISTRUSTED = "fail: distrusted"


@dataclass(frozen=True, slots=True)
class ChangeSnapshot:
    """All that decides what is next for a change.

    `machine` is the one that counts now, `successor` the one made ready to take its place.
    `on_trial` says that the one that counts took over, has not answered yet, and could still give
    its place back; `may_speak` that its program may run, so that the other must not be started.
    `done` says that the one that counts was made for this change, or fits it; `type_asked` that it
    is to become another type, `type_fits` that it is one of the plan's.
    """

    phase: AgentPhase
    phase_since: datetime
    change: Change
    wanted_deleted: bool
    fulfilled: bool
    talking: bool
    set_up: SetUp
    machine: Machine
    successor: Machine = Machine.NONE
    failures: int = 0
    on_trial: bool = False
    may_speak: bool = False
    to_restore: bool = False
    saving: Saving = Saving.NOTHING
    done: bool = False
    type_asked: bool = False
    type_fits: bool = False


OUT = (Machine.LOST, Machine.LEAVING, Machine.NONE, Machine.DISTRUSTED)
OFF = (Machine.OFF, Machine.HALTING, Machine.RISING)


def next_change_step(
    agent: ChangeSnapshot, now: datetime, deadlines: Deadlines
) -> ChangeStep | None:
    """What is to be done for the change now; None where ordinary life goes on."""
    if agent.wanted_deleted:
        return _step_before_leaving(agent)
    waited = now - agent.phase_since
    match agent.phase:
        case AgentPhase.RUNNING | AgentPhase.PLACING:
            return _step_of_preparing(agent, deadlines)
        case AgentPhase.MOVING:
            return _step_of_switching(agent, waited, deadlines)
        case AgentPhase.RESIZING:
            return _step_of_resizing(agent, waited, deadlines)
        case AgentPhase.RESTORING | AgentPhase.CONFIGURING if agent.on_trial:
            return _step_of_trial(agent, waited, deadlines)
        case _:
            return None


def _step_before_leaving(agent: ChangeSnapshot) -> ChangeStep | None:
    """What it has can only be saved from a machine that is on."""
    resizing = agent.phase is AgentPhase.RESIZING and agent.machine in OFF
    if not resizing or agent.saving is not Saving.UNDER_WAY:
        return None
    return ChangeStep.SWITCH_ON


def _step_of_preparing(agent: ChangeSnapshot, deadlines: Deadlines) -> ChangeStep | None:
    """The one that is there serves meanwhile; what else is wished of it comes first."""
    if agent.machine is not Machine.READY or agent.change is Change.NOTHING or agent.done:
        return None
    if agent.change is Change.RESIZE:
        return ChangeStep.WAIT if agent.talking else ChangeStep.BEGIN_RESIZE
    if agent.phase is AgentPhase.RUNNING and not agent.fulfilled and not agent.to_restore:
        return None
    return _step_of_successor(agent, deadlines)


def _step_of_successor(agent: ChangeSnapshot, deadlines: Deadlines) -> ChangeStep:
    match agent.successor:
        case Machine.READY:
            return ChangeStep.WAIT if agent.talking else ChangeStep.BEGIN_SWITCH
        case Machine.COMING:
            return ChangeStep.WAIT
        case Machine.DISTRUSTED:
            return ChangeStep.GIVE_UP_SUCCESSOR
        case _ if agent.failures >= deadlines.machines:
            return ChangeStep.GIVE_UP_SUCCESSOR
        case _:
            return ChangeStep.PLACE_SUCCESSOR


def _step_of_switching(
    agent: ChangeSnapshot, waited: timedelta, deadlines: Deadlines
) -> ChangeStep:
    if agent.change is Change.NOTHING:
        return _step_of_returning(agent)
    if agent.machine in OUT:
        # Without a backup of its own making there is nothing to go on with.
        saved = agent.saving is Saving.KEPT or agent.to_restore
        there = saved and agent.successor is Machine.READY
        silent = agent.machine is Machine.LOST
        return ChangeStep.TAKE_OVER if there and silent else _step_of_out(agent)
    if agent.successor is not Machine.READY:
        return ChangeStep.GIVE_UP_SUCCESSOR
    if agent.set_up is not SetUp.STILL and agent.machine is not Machine.OFF:
        return _step_of_silencing(agent, waited, deadlines)
    if agent.to_restore:
        return ChangeStep.TAKE_OVER
    return {
        Saving.NOTHING: ChangeStep.SAVE,
        Saving.UNDER_WAY: ChangeStep.WAIT,
        Saving.FAILED: ChangeStep.GIVE_UP_BACKUP,
        Saving.KEPT: ChangeStep.TAKE_OVER,
    }[agent.saving]


def _step_of_silencing(
    agent: ChangeSnapshot, waited: timedelta, deadlines: Deadlines
) -> ChangeStep:
    """No bot is ever held by two programs: the one on the old machine ends first."""
    if agent.machine in OFF:
        return ChangeStep.WAIT
    if waited <= deadlines.stopping:
        return ChangeStep.SILENCE
    return ChangeStep.PULL_THE_PLUG if agent.to_restore else ChangeStep.GIVE_UP_LATE


def _step_of_out(agent: ChangeSnapshot) -> ChangeStep:
    distrusted = agent.machine is Machine.DISTRUSTED
    return ChangeStep.FAIL_DISTRUSTED if distrusted else ChangeStep.FAIL_LOST


def _step_of_returning(agent: ChangeSnapshot) -> ChangeStep:
    if agent.machine in OUT:
        return _step_of_out(agent)
    return ChangeStep.SWITCH_ON if agent.machine in OFF else ChangeStep.RETURN


def _step_of_trial(
    agent: ChangeSnapshot, waited: timedelta, deadlines: Deadlines
) -> ChangeStep | None:
    if agent.change is Change.NOTHING:
        return ChangeStep.WAIT if agent.may_speak else ChangeStep.GIVE_BACK
    if agent.machine is not Machine.READY:
        return ChangeStep.GIVE_UP_MACHINE
    restoring = agent.phase is AgentPhase.RESTORING
    late = waited > (deadlines.restoring if restoring else deadlines.configuring)
    return ChangeStep.GIVE_UP_LATE if late else None


def _step_of_resizing(agent: ChangeSnapshot, waited: timedelta, deadlines: Deadlines) -> ChangeStep:
    if agent.machine in OUT:
        return _step_of_out(agent)
    if agent.machine is Machine.READY:
        return _step_of_halting(agent, waited, deadlines)
    if agent.machine is Machine.OFF:
        return ChangeStep.WAIT if agent.type_asked else ChangeStep.SWITCH_ON
    return ChangeStep.WAIT


def _step_of_halting(agent: ChangeSnapshot, waited: timedelta, deadlines: Deadlines) -> ChangeStep:
    """It is on: not halted yet, or on again with the one type or the other."""
    if agent.type_asked:
        still = agent.set_up is SetUp.STILL or waited > deadlines.stopping
        return ChangeStep.HALT if still else ChangeStep.SILENCE
    return ChangeStep.RECONFIGURE if agent.type_fits else ChangeStep.GIVE_UP_TYPE
