"""What becomes of agents when their person leaves the account, and how they get another one."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from farm.accounts import services as accounts
from farm.accounts.models import Account, Door, Membership, Role, User
from farm.accounts.permissions import Action, demand, demanded_for, role_in
from farm.accounts.services import record
from farm.agents.events import note
from farm.agents.models import Agent
from farm.agents.refusals import Refused
from farm.agents.selectors.agents import living_agents_in
from farm.agents.services.channels import ask_reconfigure, lock, lock_living
from farm.agents.services.paying import Charge, charge
from farm.agents.services.rights import demand_right
from farm.agents.services.slack import unlink_slack
from farm.agents.services.telegram import unlink_telegram
from farm.agents.services.whatsapp import unlink_whatsapp
from farm.billing.payers import assignment_at


@transaction.atomic
def remove_member(*, actor: User, door: Door, membership: Membership) -> None:
    """Take somebody out of the account; their agents stay with it and answer them no more.

    Refused for the last owner. Owners and admins then hand the agents over, or delete them.
    """
    demand(actor, demanded_for(Role(membership.role)), membership.account)
    _cut_off_agents(actor, door, membership.user, membership.account)
    accounts.remove_member(actor=actor, door=door, membership=membership)


@transaction.atomic
def leave_account(*, actor: User, door: Door, account: Account) -> None:
    """As `remove_member`, for oneself."""
    demand(actor, Action.LEAVE_ACCOUNT, account)
    _cut_off_agents(actor, door, actor, account)
    accounts.leave_account(actor=actor, door=door, account=account)


@transaction.atomic
def transfer_agent(*, actor: User, door: Door, agent: Agent, to: User) -> Agent:
    """Give the agent to another member, with its machine, files and conversation.

    By the person it is for; by owners and admins only once that person has left the account. Chat
    apps and the key of its console are of the one before, and end.
    """
    demand_right(actor, agent, Action.TRANSFER_AGENT)
    agent = lock_living(agent)
    if role_in(to, agent.account) is None:
        sentence = _("Choose a member of the agent's account: others have to be invited first.")
        raise Refused("to", "not_a_member", sentence)
    now = timezone.now()
    agent = _cut_off(actor, door, agent, now)
    agent.owner = to
    agent.save(update_fields=["owner"])
    note(agent, "transferred", at=now, detail=to.called)
    record(account=agent.account, actor=actor, door=door, verb="transfer agent", subject=agent.uid)
    if paid := assignment_at(agent.uid, now):
        charge(agent, Charge(paid.payer, paid.cost_centre), now)
    return agent


def _cut_off_agents(actor: User, door: Door, person: User, account: Account) -> None:
    now = timezone.now()
    for agent in living_agents_in(account, person):
        _cut_off(actor, door, agent, now)
        note(agent, "keeper_left", at=now)


def _cut_off(actor: User, door: Door, agent: Agent, now: datetime) -> Agent:
    """Whoever had it reaches it no more: no chat app, no console with the token they know."""
    for unlink in (unlink_telegram, unlink_slack, unlink_whatsapp):
        unlink(actor=actor, door=door, agent=agent)
    agent = lock(agent)
    agent.gateway_token = secrets.token_urlsafe(32)
    agent.save(update_fields=["gateway_token"])
    ask_reconfigure(agent, now)
    return agent
