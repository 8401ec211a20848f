"""Where a machine may be bought: the ladder of offers for a plan and a region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from farm.agents.models import Agent, Offer
from farm.agents.projects import closed_clouds
from farm.billing.prices import Rate
from farm.billing.selectors import at_most_monthly, sum_of, with_fee
from farm.catalog import Plan, Region, catalog

PRICE_ROSE = "price_rose"
"""Why an agent sleeps on: no machine that it could wake on is within what was agreed to."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One server type at one place, with what it, its IPv4 and its disk cost there.

    `volume` is None where the disk, of `disk_gb`, is part of the server. `copy_terabyte` is what
    1,000 GB of disks' copies cost, None while that is not known.
    """

    provider: str
    server_type: str
    location: str
    available: bool
    server: Rate
    ipv4: Rate
    volume: Rate | None
    copy_terabyte: Rate | None = None
    disk_gb: int = 0

    @property
    def cost(self) -> Rate:
        """What its cloud charges for all together."""
        return sum_of(self._parts)

    @property
    def total(self) -> Rate:
        """What all together costs a payer, the farm's fee included."""
        return with_fee(self._parts)

    def within(self, agreed: Rate) -> bool:
        """Whether it costs no more than what was agreed to, by the hour and by the month."""
        return is_within(self.total, agreed)

    @property
    def _parts(self) -> Sequence[Rate]:
        return [part for part in (self.server, self.ipv4, self.volume) if part]


def is_within(rate: Rate, agreed: Rate) -> bool:
    """Whether that is no more than what was agreed to, by the hour and by the month."""
    return (
        rate.currency == agreed.currency
        and rate.hourly_micros <= agreed.hourly_micros
        and at_most_monthly(rate) <= at_most_monthly(agreed)
    )


def open_rungs(
    plan: Plan, region: Region, agreed: Rate, *, for_farm: bool = False
) -> Sequence[Rung]:
    """What is to be had for no more than was agreed to, cheapest first.

    Clouds that make none for us come last; where all are such, the wait is for one. What is
    `for_farm` itself costs it no fee.
    """
    free = [
        rung
        for rung in ladder(plan, region)
        if rung.available and is_within(rung.cost if for_farm else rung.total, agreed)
    ]
    closed = closed_clouds()
    return sorted(free, key=lambda rung: rung.provider in closed)


def other_way_is_open(agent: Agent) -> bool:
    """Whether a project that makes machines, at any cloud, has what the agent may run on."""
    rungs = open_rungs(
        catalog().plans.get(agent.plan), catalog().regions.get(agent.region), agreed_by(agent)
    )
    return bool(rungs) and rungs[0].provider not in closed_clouds()


def dearer_than_agreed(agent: Agent) -> Rung | None:
    """The cheapest machine to be had where none is within what was agreed to.

    None where one is, and where nothing is to be had at any price. One that waits for its price
    can use none of those that are.
    """
    plan, region = catalog().plans.get(agent.plan), catalog().regions.get(agent.region)
    free = [rung for rung in ladder(plan, region) if rung.available]
    dearer = [rung for rung in free if not rung.within(agreed_by(agent))]
    waits = agent.reason == PRICE_ROSE
    return dearer[0] if dearer and (waits or len(dearer) == len(free)) else None


def agreed_by(agent: Agent) -> Rate:
    """What a machine of this agent may cost at most."""
    return Rate(agent.agreed_hourly_micros, agent.agreed_monthly_micros, agent.agreed_currency)


def ladder(plan: Plan, region: Region) -> Sequence[Rung]:
    """Every known rung, cheapest first; at one price in the order of the catalogue."""
    wanted = [
        (place.provider, server_type, place.location)
        for place in region.places
        for server_type in plan.server_types.get(place.provider, ())
    ]
    known = {(row.provider, row.server_type, row.location): row for row in Offer.objects.all()}
    rungs = [rung_of(known[key]) for key in wanted if key in known]
    return sorted(rungs, key=lambda rung: rung.total.hourly_micros)


def rung_of(row: Offer) -> Rung:
    """What an offer is as a rung."""
    return Rung(
        provider=row.provider,
        server_type=row.server_type,
        location=row.location,
        available=row.available,
        server=Rate(row.hourly_micros, row.monthly_micros, row.currency),
        ipv4=Rate(row.ipv4_hourly_micros, row.ipv4_monthly_micros, row.currency),
        volume=_volume(row),
        copy_terabyte=copy_terabyte_of(row),
        disk_gb=row.disk_gb,
    )


def _volume(row: Offer) -> Rate | None:
    if not row.volume_hourly_micros:
        return None
    return Rate(row.volume_hourly_micros, row.volume_monthly_micros, row.currency)


def copy_terabyte_of(row: Offer) -> Rate | None:
    """What 1,000 GB of disks' copies cost at the offer's cloud; None while that is not known."""
    hourly = row.copy_terabyte_hourly_micros
    if hourly is None:
        return None
    return Rate(hourly, row.copy_terabyte_monthly_micros, row.currency)
