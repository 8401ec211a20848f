"""The edge's round of a cloud: new addresses to its firewall first, old ones from it last."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from farm.agents.admission import gateway_sources
from farm.agents.clouds import clouds
from farm.agents.machine_of import machine_of
from farm.agents.models import Agent, AgentPhase, EdgeRound, GatewayPass
from farm.agents.passes import edge_of, stamp_of
from farm.agents.projects import projects_at
from farm.agents.reconciler.buying import firewall_at
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.machines import provider_in
from farm.agents.reconciler.troubles import Nap, jitter
from farm.agents.services.channels import ask_reconfigure
from provisioning.errors import ProvisioningError
from provisioning.lifecycle import back_off

AT_A_TIME = 3
"""Gateways that are told anew together: each is away for half a minute."""


def ensure_edge_rounds(now: datetime) -> None:
    """A row for every cloud that this farm has an account at; made once, driven like any other."""
    for name in clouds():
        EdgeRound.objects.get_or_create(provider=name, defaults={"due_at": now})


def drive_edge_round(claim: Claim[EdgeRound]) -> Nap:
    """Bring the firewall in step with the list, then a few gateways that are not."""
    sources = " ".join(gateway_sources(claim.row.provider))
    if sources != claim.row.sources and claim.row.provider in clouds():
        for project in projects_at(claim.row.provider):
            provider_in(project).admit(firewall_at(claim.row.provider))
        with claim.recording():
            claim.row.sources = sources
            claim.save("sources")
    for agent in out_of_step(claim.row.provider):
        tell_anew(agent)
    return timedelta(seconds=settings.EDGE_ROUND_SECONDS) * (0.9 + jitter() / 5)


def after_edge_trouble(claim: Claim[EdgeRound], _error: ProvisioningError) -> Nap:
    """Try again; machines are reached by the old addresses meanwhile."""
    claim.row.attempts += 1
    return back_off(claim.row.attempts, jitter())


def out_of_step(provider: str) -> list[Agent]:
    """A few running agents whose machines were told something else of the edge than is so now."""
    running = Agent.objects.filter(
        phase=AgentPhase.RUNNING, wanted=Agent.Wanted.RUNNING, servers__provider=provider
    )
    found = (agent for agent in running.distinct() if _differs(agent))
    return [agent for agent, _ in zip(found, range(AT_A_TIME), strict=False)]


def _differs(agent: Agent) -> bool:
    told = GatewayPass.objects.filter(server=machine_of(agent)).first()
    return stamp_of(edge_of(agent)) != (told.written if told else "")


@transaction.atomic
def tell_anew(agent: Agent) -> None:
    """Have it set up again, unless a wish is under way that takes the change with it."""
    locked = Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
    if locked.phase == AgentPhase.RUNNING and locked.fulfilled_generation == locked.generation:
        ask_reconfigure(locked, timezone.now())
