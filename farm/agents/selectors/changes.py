"""What a change of an agent's machine would cost, and from what a lost one would come back."""

from __future__ import annotations

from collections.abc import Sequence

from farm.agents.machine_of import machine_of, serves_no_more
from farm.agents.models import Agent, AgentPhase, Backup, Change, Server
from farm.agents.placement import Rung, ladder
from farm.agents.saving import last_good
from farm.agents.selectors.money import Quote, offer_for
from farm.agents.sizes import types_in_place
from farm.catalog import catalog


def offer_of_change(agent: Agent, plan: str, region: str) -> Quote | None:
    """What stands on the button of a change: of its own machine in another size, if that is to be
    had where it is, else of the cheapest machine there.

    None while prices are not known. KeyError for an unknown plan or region.
    """
    in_place = _in_place(agent, plan) if region == agent.region else ()
    if in_place:
        return Quote(in_place[0].total, catalog().regions.get(region).name)
    return offer_for(plan, region)


def is_to_be_had(agent: Agent, plan: str, region: str) -> bool:
    """Whether such a machine is free now, by the cloud's own list."""
    if region == agent.region and _in_place(agent, plan):
        return True
    rungs = ladder(catalog().plans.get(plan), catalog().regions.get(region))
    return any(rung.available for rung in rungs)


def returns_from(agent: Agent) -> Backup | None:
    """The backup that an agent without a machine that serves is brought back from; its `made_at`
    is what its people are to know before they ask for it.
    """
    return last_good(agent) if serves_no_more(machine_of(agent)) else None


def can_be_taken_back(agent: Agent) -> bool:
    """Whether a change of its machine waits that nothing was done for yet."""
    return agent.phase == AgentPhase.RUNNING and Change.objects.filter(agent=agent).exists()


def _in_place(agent: Agent, plan: str) -> Sequence[Rung]:
    server: Server | None = machine_of(agent)
    if server is None:
        return ()
    return types_in_place(server, catalog().plans.get(plan))
