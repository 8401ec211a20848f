"""Finds the agent that a person names, by name or by uid."""

from __future__ import annotations

from django.db.models import QuerySet

from farm.accounts.models import User
from farm.agents.models import Agent, AgentPhase
from farm.agents.selectors import agents_of
from farm.ops.answer import Trouble


def agent_called(which: str, actor: User) -> Agent:
    """The agent of the person with this uid or name; Trouble when there is none, or several.

    A deleted one is found by its name only when no other bears it.
    """
    return _only_one(which, actor, agents_of(actor, deleted=True))


def agent_anywhere(which: str, actor: User) -> Agent:
    """The same among all agents of the farm for whoever runs it."""
    everything = Agent.objects.select_related("owner", "account")
    return _only_one(which, actor, everything) if actor.is_superuser else agent_called(which, actor)


def _only_one(which: str, actor: User, among: QuerySet[Agent]) -> Agent:
    mine = among.order_by("pk")
    if by_uid := mine.filter(uid=which).first():
        return by_uid
    named = list(mine.filter(name__iexact=which))
    alive = [agent for agent in named if agent.phase != AgentPhase.DELETED]
    found = alive or named[-1:]
    if len(found) == 1:
        return found[0]
    raise _several(which, found) if found else _none(which, actor)


def _none(which: str, actor: User) -> Trouble:
    names = [f"{agent.name} ({agent.uid})" for agent in agents_of(actor).order_by("-pk")[:10]]
    known = f"{actor} has: {', '.join(names)}." if names else f"{actor} has none."
    return Trouble(f"There is no agent called {which}. {known}", code="unknown", field="agent")


def _several(which: str, found: list[Agent]) -> Trouble:
    uids = ", ".join(agent.uid for agent in found)
    return Trouble(
        f"Several agents are called {which}; say which by its uid: {uids}.",
        code="ambiguous",
        field="agent",
    )
