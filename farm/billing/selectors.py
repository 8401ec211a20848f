"""Questions about money: what a server costs, and what a span of it has cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from farm.billing.models import Kind, PriceRow
from farm.billing.prices import Rate

HOUR = timedelta(hours=1)
HOURS_OF_LONGEST_MONTH = 31 * 24


def rate_of(server_uid: str) -> Rate | None:
    """What a server costs now, its IPv4 included; None while no price of it is known."""
    latest = {row.kind: row for row in _rows_of(server_uid)}
    if Kind.SERVER not in latest:
        return None
    rows = list(latest.values())
    caps = [row.monthly_micros for row in rows]
    return Rate(
        hourly_micros=sum(row.hourly_micros for row in rows),
        monthly_micros=sum(cap for cap in caps if cap is not None) if None not in caps else None,
        currency=rows[0].currency,
    )


def at_most_monthly(rate: Rate) -> int:
    """The most that a calendar month can cost, in micro-units: the cap, or its every hour."""
    if rate.monthly_micros is not None:
        return rate.monthly_micros
    return rate.hourly_micros * HOURS_OF_LONGEST_MONTH


def _rows_of(server_uid: str) -> Sequence[PriceRow]:
    return list(PriceRow.objects.filter(server_uid=server_uid).order_by("valid_from"))
