"""Wishes about an agent's sleep: put it to sleep so that its bill stops, and wake it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action
from farm.accounts.services import record
from farm.agents.copies import kept_copy
from farm.agents.events import note
from farm.agents.models import (
    Agent,
    AgentPhase,
    BackupKind,
    MachineWish,
    Operation,
    OperationKind,
    OperationStep,
)
from farm.agents.refusals import Refused
from farm.agents.saving import ask_backup, serving_machine
from farm.agents.services.channels import lock_living
from farm.agents.services.operations import begin
from farm.agents.services.paying import demand_waking
from farm.agents.services.prices import agree_to
from farm.agents.services.rights import demand_right_or_farm
from farm.billing.holds import note_slept
from farm.billing.prices import Rate

MAY_STOP = (AgentPhase.RUNNING, AgentPhase.CONFIGURING, AgentPhase.STOPPING, AgentPhase.WAKING)
"""Phases in which what it has is on its machine, or on the copy that its machine is made from."""
FROM_BACKUP = (AgentPhase.PLACING, AgentPhase.RESTORING)
"""Phases of a waking from its backup, where no machine could be made from its copy."""


@transaction.atomic
def stop_agent(*, actor: User | None, door: Door, agent: Agent) -> Operation:
    """Put it to sleep: what it has is saved, and its machine is as cheap as its cloud allows.

    Without an actor it is the farm's own wish. Asking twice answers the same operation. Refused for
    an agent that is on its way, changed, failed or leaving.
    """
    demand_right_or_farm(actor, door, agent, Action.MANAGE_AGENT)
    agent = lock_living(agent)
    if agent.wanted == Agent.Wanted.STOPPED and agent.phase != AgentPhase.FAILED:
        if actor is not None:
            # From now on it sleeps by its people's word: money alone does not wake it.
            note_slept(agent.uid, None)
        return agent.operations.filter(kind=OperationKind.STOP).latest("pk")
    _demand_stoppable(agent)
    now = timezone.now()
    if agent.phase not in FROM_BACKUP:
        agent.restore_from = None
    saves = _save_first(agent, now)
    _want(agent, Agent.Wanted.STOPPED, now)
    note(agent, "stop_asked", at=now)
    record(account=agent.account, actor=actor, door=door, verb="stop agent", subject=agent.uid)
    operation = begin(agent, OperationKind.STOP, now)
    if saves:
        operation.steps.create(key=OperationStep.Key.SAVE, started_at=now)
    return operation


@transaction.atomic
def wake_agent(
    *, actor: User | None, door: Door, agent: Agent, agreed: Rate | None = None
) -> Operation:
    """Wake it, at whatever point of its falling asleep; its name, address and files stay.

    `agreed` is what its machine may cost at most from now on, where that is more than it was.
    Asking twice answers the same operation. Refused for an agent that does not sleep, past its
    payer's limit, and where its payer cannot pay it.
    """
    demand_right_or_farm(actor, door, agent, Action.MANAGE_AGENT)
    agent = lock_living(agent)
    now = timezone.now()
    if agreed is not None:
        agree_to(agent, agreed, now)
    if agent.wanted == Agent.Wanted.RUNNING and agent.phase == AgentPhase.WAKING:
        return agent.operations.filter(kind=OperationKind.WAKE).latest("pk")
    if agent.wanted != Agent.Wanted.STOPPED or agent.phase == AgentPhase.FAILED:
        raise Refused("", "not_asleep", _("Only an agent that sleeps can be woken."))
    demand_waking(agent)
    _want(agent, Agent.Wanted.RUNNING, now)
    note(agent, "wake_asked", at=now)
    record(account=agent.account, actor=actor, door=door, verb="wake agent", subject=agent.uid)
    return begin(agent, OperationKind.WAKE, now)


def _demand_stoppable(agent: Agent) -> None:
    if agent.phase == AgentPhase.FAILED:
        sentence = _("It has failed, so there is nothing to put to sleep: try again, or delete it.")
        raise Refused("", "agent_failed", sentence)
    never_ran = agent.running_since is None
    # Until it answers, the copy that it slept with is there, and has what its backup has.
    may_stop = agent.phase in MAY_STOP or (agent.phase in FROM_BACKUP and kept_copy(agent))
    if not may_stop or never_ran or agent.machine_wish != MachineWish.NOTHING:
        sentence = _("It is on its way: wait until it answers, then put it to sleep.")
        raise Refused("", "not_settled", sentence)


def _save_first(agent: Agent, now: datetime) -> bool:
    """What it has is saved, if it is on a machine; one made from its copy has no more than that."""
    if agent.phase not in (AgentPhase.RUNNING, AgentPhase.CONFIGURING):
        return False
    there = serving_machine(agent) is not None
    agent.saving = ask_backup(agent, BackupKind.SLEEP, now) if there else agent.saving
    return there


def _want(agent: Agent, wanted: Agent.Wanted, now: datetime) -> None:
    agent.wanted, agent.due_at = wanted, now
    agent.generation += 1
    agent.save(update_fields=["wanted", "generation", "due_at", "restore_from", "saving"])
