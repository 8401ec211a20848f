"""What becomes of agents when their person leaves the account, and how they get another one."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from farm.accounts import services as accounts
from farm.accounts.models import Account, Door, Membership, User
from farm.accounts.permissions import Action, role_in
from farm.accounts.services import record
from farm.agents.events import note
from farm.agents.models import Agent, AgentPhase
from farm.agents.refusals import Refused
from farm.agents.services.channels import ask_reconfigure, cut_off
from farm.agents.services.paying import Charge, charge
from farm.agents.services.rights import demand_right
from farm.billing.payers import assignment_at


@transaction.atomic
def remove_member(*, actor: User, door: Door, membership: Membership) -> None:
    """Take somebody out of the account; their agents stay with it and answer them no more.

    Refused for the last owner. Owners and admins then hand the agents over, or delete them.
    """
    accounts.remove_member(actor=actor, door=door, membership=membership)
    _cut_off_agents(membership.user, membership.account)


@transaction.atomic
def leave_account(*, actor: User, door: Door, account: Account) -> None:
    """As `remove_member`, for oneself."""
    accounts.leave_account(actor=actor, door=door, account=account)
    _cut_off_agents(actor, account)


@transaction.atomic
def transfer_agent(*, actor: User, door: Door, agent: Agent, to: User) -> Agent:
    """Give the agent to another member, with its machine, files and conversation.

    By the person it is for; by owners and admins only once that person has left the account. Chat
    apps and the key of its console are of the one before, and end.
    """
    demand_right(actor, agent, Action.TRANSFER_AGENT)
    agent = Agent.objects.select_for_update(no_key=True, of=("self",)).get(pk=agent.pk)
    if agent.wanted == Agent.Wanted.DELETED:
        raise Refused("", "agent_gone", _("This agent is being deleted: it reads nothing more."))
    if role_in(to, agent.account) is None:
        sentence = _("Choose a member of the agent's account: others have to be invited first.")
        raise Refused("to", "not_a_member", sentence)
    now = timezone.now()
    agent.owner = to
    agent.save(update_fields=["owner"])
    note(agent, "transferred", at=now, detail=to.called)
    record(account=agent.account, actor=actor, door=door, verb="transfer agent", subject=agent.uid)
    if paid := assignment_at(agent.uid, now):
        charge(agent, Charge(paid.payer, paid.cost_centre), now)
    _cut_off(agent, now)
    return agent


def _cut_off_agents(person: User, account: Account) -> None:
    now = timezone.now()
    theirs = Agent.objects.select_for_update(no_key=True).filter(owner=person, account=account)
    for agent in theirs.exclude(wanted=Agent.Wanted.DELETED).order_by("pk"):
        note(agent, "keeper_left", at=now)
        _cut_off(agent, now)


def _cut_off(agent: Agent, now: datetime) -> None:
    """Whoever had it reaches it no more: no chat app, no console with the token they know."""
    cut_off(agent, now)
    if agent.phase == AgentPhase.DELETED:
        return
    agent.gateway_token = secrets.token_urlsafe(32)
    agent.save(update_fields=["gateway_token"])
    ask_reconfigure(agent, now)
