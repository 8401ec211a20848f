"""How many agents answer, how many sleep, and how many do neither."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from farm.agents.models import Agent, AgentPhase, Watch

ON_THE_WAY = (
    AgentPhase.PLACING,
    AgentPhase.RESTORING,
    AgentPhase.CONFIGURING,
    AgentPhase.STOPPING,
    AgentPhase.WAKING,
    AgentPhase.RESIZING,
    AgentPhase.MOVING,
    AgentPhase.DELETING,
)


@dataclass(frozen=True, slots=True)
class Fleet:
    """Every agent that is not deleted is counted once; `down` are failed or silent."""

    answering: int
    on_the_way: int
    asleep: int
    down: int


def fleet_now() -> Fleet:
    """Counted in two queries, however many there are."""
    rows = Agent.objects.order_by().values_list("phase").annotate(number=Count("pk"))
    counts: dict[str, int] = dict(rows)
    silent = Watch.objects.filter(restarts__gt=0, agent__phase=AgentPhase.RUNNING).count()
    return Fleet(
        answering=counts.get(AgentPhase.RUNNING, 0) - silent,
        on_the_way=sum(counts.get(phase, 0) for phase in ON_THE_WAY),
        asleep=counts.get(AgentPhase.STOPPED, 0),
        down=counts.get(AgentPhase.FAILED, 0) + silent,
    )
