"""Which server types a machine may become where it stands: what a resize in place chooses from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from farm.agents.models import Server
from farm.agents.placement import Rung, ladder
from farm.catalog import Place, Plan, catalog


def types_in_place(server: Server, plan: Plan) -> Sequence[Rung]:
    """The plan's types to be had at the machine's own place, cheapest first.

    Of its own processor, and with a disk no smaller than its own: that moves along as it is.
    """
    here = replace(catalog().regions.default, places=(Place(server.provider, server.location),))
    arm = server.server_type in catalog().arm
    return [
        rung
        for rung in ladder(plan, here)
        if rung.available and (rung.server_type in catalog().arm) == arm
    ]
