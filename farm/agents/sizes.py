"""Which server types a machine may become where it stands: what a resize in place chooses from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from farm.agents.models import Agent, Offer, Placing, Server
from farm.agents.placement import Rung, ladder, rung_of
from farm.catalog import Place, Plan, catalog


def types_in_place(server: Server, plan: Plan) -> Sequence[Rung]:
    """The plan's types to be had at the machine's own place, cheapest first.

    Of its own processor, and with a disk no smaller than its own: that moves along as it is.
    """
    here = replace(catalog().regions.default, places=(Place(server.provider, server.location),))
    arm, own = catalog().arm, _disk_gb(server)
    return [
        rung
        for rung in ladder(plan, here)
        if rung.available
        and (rung.server_type in arm) == (server.server_type in arm)
        and (rung.volume is not None or rung.disk_gb >= own)
    ]


def offer_of_type(server: Server, server_type: str) -> Rung | None:
    """What a type costs at the machine's own place; None where its cloud does not list it."""
    row = Offer.objects.filter(
        provider=server.provider, location=server.location, server_type=server_type
    ).first()
    return rung_of(row) if row else None


def fits_plan(server: Server, agent: Agent) -> bool:
    """Whether the machine is one of the agent's plan."""
    plan = catalog().plans.get(agent.plan)
    return server.server_type in plan.server_types.get(server.provider, ())


def heap_mb_of(server: Server | None, agent: Agent) -> int:
    """What its program may use: by the machine it is on, while that is not yet of its plan."""
    plans, own = catalog().plans, catalog().plans.get(agent.plan)
    if server is None or fits_plan(server, agent):
        return own.heap_mb
    others = (
        plan.heap_mb
        for plan in plans.items
        if server.server_type in plan.server_types.get(server.provider, ())
    )
    return next(others, own.heap_mb)


def _disk_gb(server: Server) -> int:
    """What came with the type it was made as; 0 where its cloud lists that no more."""
    placing = Placing.objects.filter(server=server).exclude(server_type="").first()
    made_as = placing.server_type if placing else server.server_type
    rows = Offer.objects.filter(provider=server.provider, server_type=made_as)
    row = rows.order_by("-disk_gb").first()
    return row.disk_gb if row else 0
