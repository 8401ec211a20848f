"""How one wish for an agent takes the place of another."""

from __future__ import annotations

from datetime import datetime

from farm.agents.models import Agent, Change, Operation, OperationKind, OperationState


def begin(agent: Agent, kind: OperationKind, now: datetime) -> Operation:
    """A new wish takes the place of one under way: the later word of the owner counts.

    Only a change of its machine, for which it goes on answering, is waited for beside it.
    """
    under_way = agent.operations.filter(state=OperationState.UNDER_WAY)
    under_way = under_way.exclude(pk__in=Change.objects.filter(agent=agent).values("operation"))
    under_way.update(state=OperationState.REPLACED, ended_at=now)
    return Operation.objects.create(
        agent=agent, kind=kind, generation=agent.generation, started_at=now
    )
