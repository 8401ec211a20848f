"""What a change of an agent's machine looks like, and what each of its steps does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from farm.agents.changing import is_fulfilled
from farm.agents.machine_of import machine_of, on_trial, successor_of
from farm.agents.models import Agent, Change, Server, ServerPhase
from farm.agents.pace import SAFETY_NET
from farm.agents.reconciler import failing, going_back, moving, resizing
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.troubles import Nap
from farm.agents.sizes import fits_plan
from provisioning import changing
from provisioning.changing import ChangeSnapshot, ChangeStep
from provisioning.phases import AgentPhase
from provisioning.steps import AgentSnapshot, Machine, SetUp

ON_A_NEW_ONE = (AgentPhase.RESTORING, AgentPhase.CONFIGURING)
CHANGING = (AgentPhase.MOVING, AgentPhase.RESIZING, *ON_A_NEW_ONE)
MachineSeen = Callable[[Server | None], Machine]


def change_of(agent: Agent, seen: AgentSnapshot, machine: MachineSeen) -> ChangeSnapshot | None:
    """What the lifecycle needs to know of a change; None for an agent without one.

    `machine` says what a machine is good for.
    """
    if not agent.machine_wish and seen.phase not in CHANGING:
        return None
    server, trial = machine_of(agent), on_trial(agent)
    change = Change.objects.filter(agent=agent).select_related("operation").first()
    began = change.operation.started_at if change else agent.created_at
    return ChangeSnapshot(
        phase=seen.phase,
        phase_since=seen.phase_since,
        change=changing.Change(agent.machine_wish),
        wanted_deleted=seen.wanted_deleted,
        fulfilled=seen.fulfilled,
        talking=seen.talking,
        set_up=seen.set_up,
        machine=seen.machine,
        successor=machine(_successor(agent, began)),
        failures=seen.machines_failed,
        on_trial=trial is not None,
        may_speak=trial is not None and _may_speak(agent, trial),
        to_restore=seen.to_restore,
        saving=seen.saving,
        done=change is not None and is_fulfilled(agent, change),
        type_asked=server is not None and server.wanted_type not in ("", server.server_type),
        type_fits=server is not None and fits_plan(server, agent),
    )


def _successor(agent: Agent, began: datetime) -> Server | None:
    """One that was sold out before it was made is none."""
    server = successor_of(agent)
    return None if server is None or server.requested_at < began else server


def _may_speak(agent: Agent, server: Server) -> bool:
    if server.phase in (ServerPhase.GONE, ServerPhase.LOST):
        return False
    return agent.phase == AgentPhase.CONFIGURING and agent.step != SetUp.STILL


def _wait(_claim: Claim[Agent]) -> Nap:
    return SAFETY_NET


def _give_back_or_up(code: str) -> Callable[[Claim[Agent]], Nap]:
    """The change is given up; a machine that took over has to give its place back first."""

    def step(claim: Claim[Agent]) -> Nap:
        agent = claim.row
        detail = _why(agent)
        if on_trial(agent):
            return going_back.give_up_trial(claim, code, detail)
        return going_back.give_up(claim, code, detail)

    return step


def _why(agent: Agent) -> str:
    """What is known of the failure, for whoever wants to know more."""
    if agent.saving and agent.saving.reason_detail:
        return agent.saving.reason_detail
    successor = successor_of(agent)
    if successor and (successor.reason_detail or successor.reason):
        return successor.reason_detail or successor.reason
    return agent.reason_detail


STEPS: Mapping[ChangeStep, Callable[[Claim[Agent]], Nap]] = {
    ChangeStep.WAIT: _wait,
    ChangeStep.PLACE_SUCCESSOR: moving.place_successor,
    ChangeStep.BEGIN_SWITCH: moving.begin_switch,
    ChangeStep.SILENCE: moving.silence,
    ChangeStep.SAVE: moving.save,
    ChangeStep.PULL_THE_PLUG: moving.pull_the_plug,
    ChangeStep.TAKE_OVER: moving.take_over,
    ChangeStep.GIVE_BACK: going_back.give_back,
    ChangeStep.RETURN: going_back.go_back,
    ChangeStep.SWITCH_ON: resizing.wake,
    ChangeStep.BEGIN_RESIZE: resizing.begin_resize,
    ChangeStep.HALT: resizing.halt,
    ChangeStep.RECONFIGURE: resizing.reconfigure,
    ChangeStep.GIVE_UP_SUCCESSOR: _give_back_or_up("change_machines"),
    ChangeStep.GIVE_UP_BACKUP: _give_back_or_up("change_unsaved"),
    ChangeStep.GIVE_UP_MACHINE: _give_back_or_up("change_lost"),
    ChangeStep.GIVE_UP_LATE: _give_back_or_up("change_late"),
    ChangeStep.GIVE_UP_TYPE: resizing.give_up_type,
    ChangeStep.FAIL_LOST: failing.fail_lost,
    ChangeStep.FAIL_DISTRUSTED: failing.fail_distrusted,
}
