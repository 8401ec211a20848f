"""Who may change an agent: what services demand of the table of permissions."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied

from farm.accounts.models import Account, Door, User
from farm.accounts.permissions import Action, demand
from farm.agents.models import Agent
from farm.agents.selectors.rights import may_with


def demand_membership(actor: User, account: Account) -> None:
    """PermissionDenied unless the actor may have an agent in the account."""
    demand(actor, Action.CREATE_AGENT, account)


def demand_right(actor: User, agent: Agent, action: Action) -> None:
    """PermissionDenied unless the table lets the actor do it with this agent."""
    if not may_with(actor, agent, action):
        raise PermissionDenied(action)


def demand_right_or_farm(actor: User | None, door: Door, agent: Agent, action: Action) -> None:
    """The same; without an actor it is the farm's own wish, and comes through no other door."""
    if actor is not None:
        demand_right(actor, agent, action)
    elif door != Door.FARM:
        raise PermissionDenied(action)
