"""Whether a running agent has stopped answering, as far as the farm has seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from farm.agents.models import Agent, AgentPhase, Watch


@dataclass(frozen=True, slots=True)
class Silent:
    """Since when, how often it was restarted in vain, and whether people were told."""

    since: datetime
    restarts: int
    told: bool


def silence_of(agent: Agent) -> Silent | None:
    """None while it answers, and for a hiccup that nothing was done about yet."""
    if agent.phase != AgentPhase.RUNNING:
        return None
    watch = Watch.objects.filter(agent=agent, restarts__gt=0).first()
    if watch is None or watch.silent_since is None:
        return None
    return Silent(watch.silent_since, watch.restarts, watch.told_at is not None)
