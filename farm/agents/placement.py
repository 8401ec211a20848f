"""Where a machine may be bought: the ladder of offers for a plan and a region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from farm.agents.models import Offer
from farm.billing.prices import Rate
from farm.billing.selectors import at_most_monthly
from farm.catalog import Plan, Region


@dataclass(frozen=True, slots=True)
class Rung:
    """One server type at one place, with what it and its IPv4 cost there."""

    provider: str
    server_type: str
    location: str
    available: bool
    server: Rate
    ipv4: Rate

    @property
    def total(self) -> Rate:
        """Both together."""
        caps = (self.server.monthly_micros, self.ipv4.monthly_micros)
        return Rate(
            hourly_micros=self.server.hourly_micros + self.ipv4.hourly_micros,
            monthly_micros=None if caps[0] is None or caps[1] is None else caps[0] + caps[1],
            currency=self.server.currency,
        )

    def within(self, agreed: Rate) -> bool:
        """Whether it costs no more than what was agreed to, by the hour and by the month."""
        return (
            self.total.currency == agreed.currency
            and self.total.hourly_micros <= agreed.hourly_micros
            and at_most_monthly(self.total) <= at_most_monthly(agreed)
        )


def ladder(plan: Plan, region: Region) -> Sequence[Rung]:
    """Every known rung, cheapest first; at one price in the order of the catalogue."""
    wanted = [
        (place.provider, server_type, place.location)
        for place in region.places
        for server_type in plan.server_types.get(place.provider, ())
    ]
    known = {(row.provider, row.server_type, row.location): row for row in Offer.objects.all()}
    rungs = [_rung(known[key]) for key in wanted if key in known]
    return sorted(rungs, key=lambda rung: rung.total.hourly_micros)


def _rung(row: Offer) -> Rung:
    return Rung(
        provider=row.provider,
        server_type=row.server_type,
        location=row.location,
        available=row.available,
        server=Rate(row.hourly_micros, row.monthly_micros, row.currency),
        ipv4=Rate(row.ipv4_hourly_micros, row.ipv4_monthly_micros, row.currency),
    )
