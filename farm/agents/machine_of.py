"""Which of an agent's machines counts now."""

from __future__ import annotations

from django.db.models import F, Q

from farm.agents.models import Agent, Server

WAITS_ITS_TURN = Q(takes_over_from__isnull=False, took_over_at=None)


def machine_of(agent: Agent) -> Server | None:
    """The one that joined it last; a successor counts from when it has taken over."""
    machines = agent.servers.exclude(WAITS_ITS_TURN)
    return machines.order_by(F("joined_at").desc(nulls_last=True), "-pk").first()
