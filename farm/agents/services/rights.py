"""Who may do what with an agent: the table of permissions, asked for an agent and its account."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied

from farm.accounts.models import Account, User
from farm.accounts.permissions import (
    LEFT_BEHIND,
    Action,
    Standing,
    allowed,
    demand,
    role_in,
    standings_in,
)
from farm.agents.models import Agent

_MEMBERS = frozenset({Standing.OWNER, Standing.ADMIN, Standing.MEMBER})


def demand_membership(actor: User, account: Account) -> None:
    """PermissionDenied unless the actor may have an agent in the account."""
    demand(actor, Action.CREATE_AGENT, account)


def demand_right(actor: User, agent: Agent, action: Action = Action.MANAGE_AGENT) -> None:
    """PermissionDenied unless the table lets the actor do it with this agent."""
    if not may_with(actor, agent, action):
        raise PermissionDenied(action)


def may_with(actor: User, agent: Agent, action: Action) -> bool:
    """Whether the table lets the actor do it with this agent."""
    standings = standings_at(actor, agent)
    if allowed(action, standings):
        return True
    more = LEFT_BEHIND.get(action, frozenset())
    return not more.isdisjoint(standings) and not has_keeper(agent)


def standings_at(actor: User, agent: Agent) -> frozenset[Standing]:
    """How the actor stands to the agent: their standing in its account, and whether it is theirs."""
    standings = standings_in(actor, agent.account)
    is_keeper = agent.owner_id == actor.pk and not standings.isdisjoint(_MEMBERS)
    return standings | {Standing.KEEPER} if is_keeper else standings


def has_keeper(agent: Agent) -> bool:
    """Whether the person it is for is still a member of its account."""
    return role_in(agent.owner, agent.account) is not None
