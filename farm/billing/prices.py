"""What writes prices: pinned once, when a server is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from farm.billing.models import Kind, PriceRow


@dataclass(frozen=True, slots=True)
class Rate:
    """Net, in integer micro-units of `currency`; `monthly_micros` caps a calendar month."""

    hourly_micros: int
    monthly_micros: int | None
    currency: str


def pin_prices(
    *, server_uid: str, at: datetime, server: Rate, ipv4: Rate, volume: Rate | None = None
) -> None:
    """Write down what a server, its IPv4 and a disk sold apart cost from `at` on.

    In the asker's transaction.
    """
    for kind, rate in ((Kind.SERVER, server), (Kind.IPV4, ipv4), (Kind.VOLUME, volume)):
        if rate is None:
            continue
        PriceRow.objects.create(
            server_uid=server_uid,
            kind=kind,
            valid_from=at,
            hourly_micros=rate.hourly_micros,
            monthly_micros=rate.monthly_micros,
            currency=rate.currency,
        )
