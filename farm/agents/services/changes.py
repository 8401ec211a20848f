"""Wishes about an agent's machine: another size, another place, a fresh one; and never mind."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action
from farm.accounts.services import record
from farm.agents.changing import Goal, open_change, put_back
from farm.agents.clouds import regions
from farm.agents.events import note
from farm.agents.machine_of import machine_of, serves_no_more
from farm.agents.models import (
    Agent,
    AgentPhase,
    Change,
    MachineWish,
    Operation,
    OperationKind,
    OperationState,
)
from farm.agents.placement import agreed_by
from farm.agents.reconciler.going_back import drop_successors
from farm.agents.refusals import Refused
from farm.agents.saving import last_good
from farm.agents.selectors.changes import is_to_be_had, offer_of_change
from farm.agents.selectors.money import Quote
from farm.agents.services.channels import lock
from farm.agents.services.operations import begin
from farm.agents.services.paying import demand_change
from farm.agents.services.rights import demand_right, demand_right_or_farm
from farm.agents.services.wishes import chosen
from farm.catalog import catalog


@transaction.atomic
def resize_agent(*, actor: User, door: Door, agent: Agent, plan: str) -> Operation:
    """Have the agent on a machine of another plan, at today's price; its work stays.

    Refused at "plan" for an unknown one, for its own, and while none is to be had; otherwise for an
    agent that does not run, and past its payer's limit.
    """
    demand_right(actor, agent, Action.MANAGE_AGENT)
    agent = lock(agent)
    _demand_settled(agent)
    wanted = chosen(catalog().plans, plan, "plan").key
    if wanted == agent.plan:
        raise Refused("plan", "same_plan", _("It has this size already: choose another one."))
    quote = _quoted(agent, wanted, agent.region, "plan")
    if not is_to_be_had(agent, wanted, agent.region):
        sentence = _("No machine of this size is free there now: try again later, or elsewhere.")
        raise Refused("plan", "sold_out", sentence)
    goal = Goal(MachineWish.RESIZE, wanted, agent.region, quote.rate)
    return _utter(actor, door, agent, OperationKind.RESIZE, goal)


@transaction.atomic
def move_agent_to(*, actor: User, door: Door, agent: Agent, region: str) -> Operation:
    """Have the agent in another place, with all it has, at the price of that place.

    It goes on answering where it is until its machine there is ready; while nothing is free there
    it waits. Asking for the place that it is in takes a move back. Refused as for `resize_agent`.
    """
    demand_right(actor, agent, Action.MANAGE_AGENT)
    agent = lock(agent)
    wanted = chosen(regions(), region, "region").key
    change = Change.objects.filter(agent=agent).first()
    if change and change.region == wanted != agent.region:
        return _take_back(actor, door, agent, change)
    _demand_settled(agent)
    if wanted == agent.region:
        raise Refused("region", "same_region", _("It is there already: choose another place."))
    quote = _quoted(agent, agent.plan, wanted, "region")
    goal = Goal(MachineWish.REPLACE, agent.plan, wanted, quote.rate)
    return _utter(actor, door, agent, OperationKind.MOVE, goal)


@transaction.atomic
def rebuild_agent(*, actor: User, door: Door, agent: Agent, from_backup: bool = False) -> Operation:
    """Have the agent on a fresh machine of the same plan and place, with all it has.

    What it has is saved first. With `from_backup`, or where no machine of it serves any more, it is
    brought back from its last good backup, whose age whoever asks is told before: see
    `selectors.changes.returns_from`. Refused where that is wanted and none is kept.
    """
    demand_right(actor, agent, Action.MANAGE_AGENT)
    agent = lock(agent)
    if agent.phase != AgentPhase.FAILED:
        _demand_settled(agent)
    _demand_staying(agent)
    lost = serves_no_more(machine_of(agent))
    agent.restore_from = last_good(agent) if from_backup or lost else None
    if agent.restore_from is None and (from_backup or lost):
        sentence = _("Nothing of it is kept that it could be brought back from.")
        raise Refused("", "backup_gone", sentence)
    agent.saving = None
    if agent.phase == AgentPhase.FAILED:
        agent.wanted, agent.generation = Agent.Wanted.RUNNING, agent.generation + 1
    agent.save(update_fields=["restore_from", "saving", "wanted", "generation"])
    goal = Goal(MachineWish.REPLACE, agent.plan, agent.region, agreed_by(agent))
    return _utter(actor, door, agent, OperationKind.REBUILD, goal)


@transaction.atomic
def take_back_change(*, actor: User | None, door: Door, agent: Agent) -> Operation:
    """Never mind the change of its machine; Refused once it is too late, and where there is none.

    Without an actor it is the farm's own wish. Answers the operation that ends with it.
    """
    demand_right_or_farm(actor, door, agent, Action.MANAGE_AGENT)
    agent = lock(agent)
    change = Change.objects.filter(agent=agent).first()
    if change is None:
        raise Refused("", "no_change", _("No change of its machine is under way."))
    return _take_back(actor, door, agent, change)


def _take_back(actor: User | None, door: Door, agent: Agent, change: Change) -> Operation:
    if agent.phase != AgentPhase.RUNNING:
        sentence = _("It is being done now: wait until it answers, then ask for the way back.")
        raise Refused("", "too_late", sentence)
    now = timezone.now()
    agent.restore_from, agent.saving, agent.due_at = None, None, now
    agent.reason = agent.reason_detail = ""
    agent.save(update_fields=["restore_from", "saving", "due_at", "reason", "reason_detail"])
    put_back(agent)
    drop_successors(agent, now)
    operation = change.operation
    operation.state, operation.ended_at = OperationState.REPLACED, now
    operation.save(update_fields=["state", "ended_at"])
    note(agent, "change_taken_back", at=now)
    verb = "take back change of machine"
    record(account=agent.account, actor=actor, door=door, verb=verb, subject=agent.uid)
    return operation


def _utter(actor: User, door: Door, agent: Agent, kind: OperationKind, goal: Goal) -> Operation:
    now = timezone.now()
    demand_change(agent, goal.agreed, goal.plan, goal.region)
    operation = begin(agent, kind, now)
    open_change(agent, goal, operation, now)
    note(agent, f"{kind}_asked", at=now, detail=f"{goal.plan} {goal.region}")
    record(account=agent.account, actor=actor, door=door, verb=f"{kind} agent", subject=agent.uid)
    return operation


def _quoted(agent: Agent, plan: str, region: str, field: str) -> Quote:
    quote = offer_of_change(agent, plan, region)
    if quote is None:
        sentence = _("Its price is not known yet, so nothing is bought: try again in a minute.")
        raise Refused(field, "price_unknown", sentence)
    return quote


def _demand_settled(agent: Agent) -> None:
    """Refused unless it runs, and nothing else is to be done with its machine or its files."""
    _demand_staying(agent)
    if Change.objects.filter(agent=agent).exists():
        sentence = _("A change of its machine is under way: wait for it, or take it back first.")
        raise Refused("", "change_under_way", sentence)
    if agent.wanted != Agent.Wanted.RUNNING or agent.phase != AgentPhase.RUNNING:
        sentence = _("Only an agent that runs can be changed so: wait until it answers.")
        raise Refused("", "not_running", sentence)
    if agent.restore_from is not None:
        raise Refused("", "not_settled", _("It is being restored: wait until it answers."))


def _demand_staying(agent: Agent) -> None:
    if agent.wanted == Agent.Wanted.DELETED:
        raise Refused("", "agent_gone", _("This agent is being deleted."))
