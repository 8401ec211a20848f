"""One step of an agent: read its rows, let the lifecycle choose, make one change outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.db.models import Q
from django.utils import timezone

from farm.agents.copies import kept_of
from farm.agents.machine_of import machine_of
from farm.agents.models import Agent, CopyPhase, Message, Server, ServerPhase
from farm.agents.pace import SAFETY_NET, deadlines
from farm.agents.reconciler import (
    failing,
    leaving,
    placing,
    restoring,
    setting_up,
    sleeping,
    waking,
)
from farm.agents.reconciler.changes import STEPS as CHANGES
from farm.agents.reconciler.changes import change_of
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.marks import began_at
from farm.agents.reconciler.troubles import GIVEN_UP, Nap, wait_with_reason
from farm.agents.saving import saving_of
from provisioning.changing import next_change_step
from provisioning.lifecycle import next_agent_step
from provisioning.phases import AgentPhase
from provisioning.steps import AgentSnapshot, AgentStep, Machine, SetUp

AT_AN_END = (ServerPhase.GONE, ServerPhase.LOST)


def drive_agent(claim: Claim[Agent]) -> Nap:
    """Take one step; answers when to look again (None: when somebody rings)."""
    seen, now = snapshot_of(claim.row), timezone.now()
    change = change_of(claim.row, seen, _machine)
    if change and (step := next_change_step(change, now, deadlines())):
        return CHANGES[step](claim)
    return STEPS[next_agent_step(seen, now, deadlines())](claim)


def snapshot_of(agent: Agent) -> AgentSnapshot:
    """What the lifecycle needs to know of an agent, its machines and its talk."""
    newest = machine_of(agent)
    began = began_at(agent)
    failed = Q(reason__in=GIVEN_UP) | Q(phase=ServerPhase.LOST)
    return AgentSnapshot(
        phase=AgentPhase(agent.phase),
        phase_since=agent.phase_since,
        wanted_deleted=agent.wanted == Agent.Wanted.DELETED,
        fulfilled=agent.fulfilled_generation >= agent.generation,
        has_run=newest is not None and newest.serving_since is not None,
        talking=agent.messages.filter(state=Message.State.SENT).exists(),
        set_up=SetUp(agent.step),
        machine=_machine(newest),
        machines_failed=agent.servers.filter(failed, requested_at__gte=began).count(),
        machines_left=agent.servers.exclude(phase__in=AT_AN_END).count(),
        to_restore=agent.restore_from is not None,
        saving=saving_of(agent, timezone.now()),
        wanted_stopped=agent.wanted == Agent.Wanted.STOPPED,
        copies_left=agent.copies.exclude(phase=CopyPhase.GONE).count(),
        kept=kept_of(agent),
    )


def _machine(newest: Server | None) -> Machine:
    if newest is None:
        return Machine.NONE
    if newest.phase == ServerPhase.LOST:
        return Machine.LOST
    if newest.wanted_gone or newest.phase in (ServerPhase.DELETING, ServerPhase.GONE):
        return Machine.LEAVING
    if newest.distrusted_at:
        return Machine.DISTRUSTED
    return _ON_ITS_WAY.get(ServerPhase(newest.phase), Machine.COMING)


_ON_ITS_WAY = {
    ServerPhase.READY: Machine.READY,
    ServerPhase.HALTING: Machine.HALTING,
    ServerPhase.OFF: Machine.OFF,
    ServerPhase.WAKING: Machine.RISING,
}


def _rest(_claim: Claim[Agent]) -> Nap:
    return None


def _wait(claim: Claim[Agent]) -> Nap:
    """What it had to tell before another try is no longer so."""
    if claim.row.reason == leaving.UNSAVED:
        return wait_with_reason(claim, "", SAFETY_NET)
    return SAFETY_NET


STEPS: Mapping[AgentStep, Callable[[Claim[Agent]], Nap]] = {
    AgentStep.REST: _rest,
    AgentStep.WAIT: _wait,
    AgentStep.PLACE: placing.place,
    AgentStep.START_OVER: placing.start_over,
    AgentStep.BEGIN_RESTORE: restoring.begin,
    AgentStep.RESTORE: restoring.restore,
    AgentStep.GIVE_UP_RESTORE: restoring.give_up,
    AgentStep.CONFIGURE: setting_up.configure,
    AgentStep.WRITE: setting_up.write,
    AgentStep.START: setting_up.start,
    AgentStep.GATE: setting_up.pass_gate,
    AgentStep.GREET: setting_up.greet,
    AgentStep.BEGIN_STOP: sleeping.begin_stop,
    AgentStep.STILL: sleeping.still,
    AgentStep.SLEEP: sleeping.sleep,
    AgentStep.SETTLE: sleeping.settle,
    AgentStep.BEGIN_WAKE: waking.begin,
    AgentStep.RISE: waking.rise,
    AgentStep.PLACE_COPY: waking.place_copy,
    AgentStep.PLACE_BACKUP: waking.place_backup,
    AgentStep.LIE_DOWN: waking.lie_down,
    AgentStep.HOLD: leaving.hold,
    AgentStep.LEAVE: leaving.leave,
    AgentStep.FINISH: leaving.finish,
    AgentStep.FAIL_DISTRUSTED: failing.fail_distrusted,
    AgentStep.FAIL_LOST: failing.fail_lost,
    AgentStep.FAIL_COPY_LOST: sleeping.fail_copy_lost,
    AgentStep.FAIL_MACHINES: failing.fail_machines,
    AgentStep.FAIL_LATE: failing.fail_late,
}
