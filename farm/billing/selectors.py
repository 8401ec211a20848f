"""Questions about money: what a server costs, and what a span of it has cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from farm.billing.models import Kind, PriceRow
from farm.billing.prices import HOURS_OF_LONGEST_MONTH, Rate, fee_on

HOUR = timedelta(hours=1)


def rate_of(server_uid: str) -> Rate | None:
    """What a server costs now, its IPv4 and the fee included; None while no price is known."""
    return rates_of([server_uid]).get(server_uid)


def rates_of(server_uids: Collection[str]) -> Mapping[str, Rate]:
    """The same for many, in one query; one whose price is not known is left out."""
    latest: defaultdict[str, dict[str, PriceRow]] = defaultdict(dict)
    for row in PriceRow.objects.filter(server_uid__in=server_uids).order_by("valid_from", "pk"):
        latest[row.server_uid][row.kind] = row
    return {uid: rate for uid, rows in latest.items() if (rate := _together(rows))}


def parts_of(server_uid: str) -> Mapping[Kind, Rate]:
    """What each kind of it costs now, apart; of a disk's copy it is the one."""
    rows = PriceRow.objects.filter(server_uid=server_uid).order_by("valid_from", "pk")
    return {
        Kind(row.kind): Rate(row.hourly_micros, row.monthly_micros, row.currency) for row in rows
    }


def sum_of(rates: Sequence[Rate]) -> Rate:
    """What all of them cost together; one at least."""
    caps = [rate.monthly_micros for rate in rates]
    return Rate(
        hourly_micros=sum(rate.hourly_micros for rate in rates),
        monthly_micros=sum(cap for cap in caps if cap is not None) if None not in caps else None,
        currency=rates[0].currency,
    )


def with_fee(parts: Sequence[Rate], *, machine: bool = True) -> Rate:
    """What these cost a payer together, by today's fee: of a machine's parts, or of a copy."""
    fee = fee_on(parts, machine=machine)
    return sum_of([*parts, fee] if fee else parts)


def _together(latest: Mapping[str, PriceRow]) -> Rate | None:
    if Kind.SERVER not in latest:
        return None
    return sum_of(
        [Rate(row.hourly_micros, row.monthly_micros, row.currency) for row in latest.values()]
    )


def at_most_monthly(rate: Rate) -> int:
    """The most that a calendar month can cost, in micro-units: the cap, or its every hour."""
    if rate.monthly_micros is not None:
        return rate.monthly_micros
    return rate.hourly_micros * HOURS_OF_LONGEST_MONTH
