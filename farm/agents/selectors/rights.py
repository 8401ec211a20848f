"""How people stand to an agent, and what the table of permissions lets them do with it."""

from __future__ import annotations

from farm.accounts.models import User
from farm.accounts.permissions import (
    LEFT_BEHIND,
    MEMBERS,
    Action,
    Standing,
    allowed,
    role_in,
    standings_in,
)
from farm.agents.models import Agent


def may_with(actor: User, agent: Agent, action: Action) -> bool:
    """Whether the table lets the actor do it with this agent."""
    standings = standings_at(actor, agent)
    if allowed(action, standings):
        return True
    more = LEFT_BEHIND.get(action, frozenset())
    return not more.isdisjoint(standings) and not has_keeper(agent)


def standings_at(actor: User, agent: Agent) -> frozenset[Standing]:
    """The actor's standing in the agent's account, and whether the agent is theirs besides."""
    standings = standings_in(actor, agent.account)
    is_keeper = agent.owner_id == actor.pk and not standings.isdisjoint(MEMBERS)
    return standings | {Standing.KEEPER} if is_keeper else standings


def has_keeper(agent: Agent) -> bool:
    """Whether the person it is for is still a member of its account."""
    return role_in(agent.owner, agent.account) is not None
