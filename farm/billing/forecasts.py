"""What is to come of a month: everything that is there now goes on as it is, none past its cap."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date

from django.db.models import Sum

from farm.billing.models import Kind, PriceRow, UsageLine
from farm.billing.rule import SPREAD, begin_of, next_month
from farm.billing.stays import HOUR

Key = tuple[str, str]


def to_come(uids: Collection[str], off: Collection[str], month: date, hours: int) -> int:
    """What clouds will charge for these servers and copies in so many hours more of the month.

    Micro-units, in two queries. Those that are `off` where off is free cost no compute. The farm's
    own fee is not in it.
    """
    return sum(
        _coming(key, rows[-1], paid, month, hours)
        for key, rows, paid in _with_paid(uids, month)
        if not (key[1] == Kind.SERVER and key[0] in off)
    )


def _with_paid(uids: Collection[str], month: date) -> Sequence[tuple[Key, Sequence[PriceRow], int]]:
    """What is written of the month by each server and kind, since its cloud last counted anew."""
    prices: defaultdict[Key, list[PriceRow]] = defaultdict(list)
    rows = PriceRow.objects.filter(server_uid__in=uids).exclude(kind=Kind.FEE)
    for row in rows.order_by("valid_from", "pk"):
        kept = prices[row.server_uid, row.kind]
        if row.counts_anew:
            kept.clear()
        kept.append(row)
    written = UsageLine.objects.filter(server_uid__in=uids, month=month).order_by()
    paid: Mapping[int, int] = dict(
        written.values_list("price_id").annotate(sum=Sum("cloud_micros"))
    )
    return [(key, kept, sum(paid.get(row.pk, 0) for row in kept)) for key, kept in prices.items()]


def _coming(key: Key, price: PriceRow, paid: int, month: date, hours: int) -> int:
    if price.monthly_micros is None:
        return price.hourly_micros * hours
    if key[1] in SPREAD:
        return (
            price.monthly_micros
            * hours
            // ((begin_of(next_month(month)) - begin_of(month)) // HOUR)
        )
    return max(0, min(price.hourly_micros * hours, price.monthly_micros - paid))
