"""Who may change an agent."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied

from farm.accounts.models import Account, Role, User
from farm.agents.models import Agent


def demand_membership(actor: User, account: Account) -> None:
    """PermissionDenied unless the actor belongs to the account or runs the farm."""
    if not actor.is_superuser and not account.memberships.filter(user=actor).exists():
        raise PermissionDenied


def demand_right(actor: User, agent: Agent) -> None:
    """PermissionDenied unless the agent is the actor's, or they answer for its account."""
    if actor.is_superuser or _belongs(actor, agent):
        return
    raise PermissionDenied


def _belongs(actor: User, agent: Agent) -> bool:
    membership = agent.account.memberships.filter(user=actor).first()
    if membership is None:
        return False
    return agent.owner_id == actor.pk or membership.role in (Role.OWNER, Role.ADMIN)
