"""Who stands at an agent's host, and where the edge is to lead them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from farm.accounts.permissions import Action
from farm.accounts.sessions import is_logged_in
from farm.agents.machine_of import machine_of
from farm.agents.models import Agent, AgentPhase, EdgeVisit, GatewayPass
from farm.agents.passes import gateway_name
from farm.agents.selectors.rights import may_with
from provisioning.runtime import PORT


@dataclass(frozen=True, slots=True)
class Way:
    """Where a visitor is led. `upstream` is host:port, "" while the agent does not run.

    `server_name` is what its gateway must prove to be, `person` what the gateway calls the visitor.
    `asleep_since` is None unless it sleeps.
    """

    agent_name: str
    agent_uid: str
    upstream: str = ""
    server_name: str = ""
    person: str = ""
    asleep_since: datetime | None = None


def way_for(cookie_hash: str, host: str, now: datetime) -> Way | None:
    """The way of whoever holds that cookie at that host; None for everybody else."""
    visits = EdgeVisit.objects.select_related("user", "agent__account", "agent__owner")
    visit = visits.filter(cookie_hash=cookie_hash, agent__host=host, expires_at__gt=now).first()
    if visit is None or not is_logged_in(visit.user, visit.session_key):
        return None
    if not may_with(visit.user, visit.agent, Action.OPEN_CONSOLE):
        return None
    return _way_to(visit)


def agent_at(host: str) -> Agent:
    """The agent of that host name; Agent.DoesNotExist if there is none or no longer."""
    return Agent.objects.exclude(phase=AgentPhase.DELETED).get(host=host)


def is_host(host: str) -> bool:
    """Whether an agent that is not deleted has that host name."""
    return Agent.objects.exclude(phase=AgentPhase.DELETED).filter(host=host).exists()


def _way_to(visit: EdgeVisit) -> Way:
    agent = visit.agent
    server = machine_of(agent)
    own = GatewayPass.objects.filter(server=server).exclude(addresses="").first()
    ready = agent.phase == AgentPhase.RUNNING and own and own.keeper_id == visit.user_id
    if not ready or own is None or server is None or not server.ipv4 or server.distrusted_at:
        since = agent.phase_since if agent.phase == AgentPhase.STOPPED else None
        return Way(agent.name, agent.uid, asleep_since=since)
    upstream = f"{server.ipv4}:{PORT}"
    return Way(agent.name, agent.uid, upstream, gateway_name(server), own.keeper_name)
