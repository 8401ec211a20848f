"""Which of an agent's machines counts now."""

from __future__ import annotations

from django.db.models import F, Q

from farm.agents.models import Agent, Server, ServerPhase

AT_AN_END = (ServerPhase.DELETING, ServerPhase.GONE, ServerPhase.LOST)
WAITS_ITS_TURN = Q(takes_over_from__isnull=False, took_over_at=None)


def machine_of(agent: Agent) -> Server | None:
    """The one that joined it last; a successor counts from when it has taken over."""
    machines = agent.servers.exclude(WAITS_ITS_TURN)
    return machines.order_by(F("joined_at").desc(nulls_last=True), "-pk").first()


def serves_no_more(server: Server | None) -> bool:
    """Whether nothing can be saved from it, or it is none: lost, going, or not to be trusted."""
    if server is None or server.wanted_gone or server.distrusted_at is not None:
        return True
    return server.phase in AT_AN_END


def on_trial(agent: Agent) -> Server | None:
    """The machine that took over and has not answered yet, while the one before is still there."""
    server = machine_of(agent)
    if server is None or server.took_over_at is None or server.serving_since is not None:
        return None
    former = server.takes_over_from
    if former is None or former.wanted_gone:
        return None
    return None if former.phase in AT_AN_END else server


def successor_of(agent: Agent) -> Server | None:
    """The newest machine that is made ready to take over; it may have come to nothing."""
    return agent.servers.filter(WAITS_ITS_TURN).order_by("-pk").first()
