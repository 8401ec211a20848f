"""What an agent costs while it sleeps: the copy of its disk, or what its machine keeps."""

from __future__ import annotations

from collections.abc import Mapping

from farm.agents.clouds import OFF_IS_FREE
from farm.agents.machine_of import machine_of
from farm.agents.models import Agent, Offer, Server
from farm.agents.placement import copy_terabyte_of
from farm.billing.models import Kind
from farm.billing.prices import Rate, copy_rate
from farm.billing.selectors import parts_of, sum_of, with_fee

LASTING = (Kind.IPV4, Kind.VOLUME)
"""What goes on costing of a machine that is off where off is free; no fee is taken then."""


def asleep_rate(agent: Agent) -> Rate | None:
    """What an hour of its sleep costs now, and a month; None where nothing of it sleeps.

    Of a copy whose size is not known yet: at most.
    """
    copy = agent.copies.filter(gone_at=None, wanted_gone=False).order_by("-pk").first()
    if copy:
        parts = parts_of(copy.uid)
        return sum_of(list(parts.values())) if parts else copy_at_most(copy.server)
    server = machine_of(agent)
    if server is None or server.gone_at or server.provider not in OFF_IS_FREE:
        return None
    return lasting(parts_of(server.uid))


def lasting(parts: Mapping[Kind, Rate]) -> Rate | None:
    """What of a machine's parts goes on costing while it is off, all together."""
    rates = [rate for kind, rate in parts.items() if kind in LASTING]
    return sum_of(rates) if rates else None


def copy_at_most(server: Server) -> Rate | None:
    """What a copy of its disk costs if it is full; None while that is not known."""
    there = Offer.objects.filter(provider=server.provider, server_type=server.server_type)
    offer = there.exclude(disk_gb=0).order_by("-disk_gb").first()
    terabyte = copy_terabyte_of(offer) if offer else None
    if offer is None or terabyte is None:
        return None
    return with_fee([copy_rate(offer.disk_gb, terabyte)], machine=False)
