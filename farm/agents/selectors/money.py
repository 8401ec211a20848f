"""What an agent will cost, costs, and has cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from farm.agents.machine_of import machine_of
from farm.agents.models import Agent, AgentPhase, DiskCopy, Server
from farm.agents.placement import Rung, agreed_by, ladder
from farm.agents.selectors.asleep import asleep_rate
from farm.agents.selectors.months import paid_by
from farm.agents.stays import is_served, stays_at
from farm.billing.metering import cost_so_far
from farm.billing.prices import Rate
from farm.billing.selectors import at_most_monthly, rate_of
from farm.catalog import Words, catalog

ASLEEP = (AgentPhase.STOPPED, AgentPhase.WAKING)


@dataclass(frozen=True, slots=True)
class Quote:
    """What stands on the button: net, address and fee included, micro-units of the currency."""

    rate: Rate
    place_name: Words

    @property
    def hourly_micros(self) -> int:
        """For each started hour."""
        return self.rate.hourly_micros

    @property
    def at_most_monthly_micros(self) -> int:
        """For a calendar month at the most."""
        return at_most_monthly(self.rate)

    @property
    def currency(self) -> str:
        """ISO 4217, such as EUR."""
        return self.rate.currency


@dataclass(frozen=True, slots=True)
class Cost:
    """Net micro-units of `currency`, charged to `payer`.

    `free_reason` says why nothing is counted at the moment.
    """

    so_far_micros: int
    hourly_micros: int
    monthly_cap_micros: int
    currency: str
    free_reason: str | Promise | None
    payer: str


def offer_for(plan: str, region: str) -> Quote | None:
    """The price of the cheapest machine to be had, or of the cheapest while all are sold out.

    None while the cloud's prices are not known. KeyError for an unknown plan or region.
    """
    chosen = _cheapest(plan, region)
    place = catalog().regions.get(region)
    return Quote(rate=chosen.total, place_name=place.name) if chosen else None


def own_cost_for(plan: str, region: str) -> Rate | None:
    """What the same machine costs the farm, without its fee; for one that it keeps for itself."""
    chosen = _cheapest(plan, region)
    return chosen.cost if chosen else None


def _cheapest(plan: str, region: str) -> Rung | None:
    rungs = ladder(catalog().plans.get(plan), catalog().regions.get(region))
    return next((rung for rung in rungs if rung.available), rungs[0] if rungs else None)


def cost_of(agent: Agent, now: datetime) -> Cost:
    """From the prices pinned to its servers and their copies, all it ever ran on together.

    An hour costs what it costs as it is now, awake or asleep.
    """
    servers, server = list(agent.servers.order_by("pk")), machine_of(agent)
    asleep = asleep_rate(agent) if agent.phase in ASLEEP else None
    rate = asleep or (rate_of(server.uid) if server else None) or agreed_by(agent)
    return Cost(
        so_far_micros=spent_on([agent], now)[agent.pk],
        hourly_micros=rate.hourly_micros,
        monthly_cap_micros=agent.agreed_monthly_micros,
        currency=rate.currency,
        free_reason=None if asleep else _free_reason(agent, servers),
        payer=paid_by(agent).payer.name,
    )


def spent_on(agents: Sequence[Agent], now: datetime) -> Mapping[int, int]:
    """So far, in micro-units, by an agent's pk: in as many queries however long the list is."""
    servers = Server.objects.filter(agent__in=agents)
    copies = DiskCopy.objects.filter(agent__in=agents)
    costs = cost_so_far(stays_at(now, servers, copies))
    return {agent.pk: costs.get(agent.uid, 0) for agent in agents}


def _free_reason(agent: Agent, servers: Sequence[Server]) -> str | Promise | None:
    if is_served(servers):
        return None
    if agent.phase == AgentPhase.DELETED:
        return _("The agent is gone: nothing is counted any more.")
    if agent.phase == AgentPhase.FAILED and any(server.serving_since for server in servers):
        return _("It has no machine: nothing is counted.")
    return _("Nothing is counted until it answers.")
