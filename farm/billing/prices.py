"""What writes prices: pinned when something is asked for or becomes something else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.db import transaction

from farm.billing.models import Kind, PriceRow

TERABYTE_IN_GB = 1_000


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
        if rate is not None:
            _row(server_uid, kind, at, rate).save(force_insert=True)


def reprice_server(*, server_uid: str, at: datetime, server: Rate, counts_anew: bool) -> None:
    """From `at` on, when it became another type, the server costs that; its other parts the same.

    In the transaction that writes down the type; doing so again changes nothing. `at` is when the
    cloud was asked, before the machine was switched on again.

    Hetzner says that a rescaled server has the price of its new type from then on, and no more. The
    assumption, until an invoice tells: it is charged as one server that ended and another that
    began, so the hour of the change counts for both, and each has a monthly price of its own
    (`counts_anew`). Scaleway charges by the times that a machine is on, each at the price of the
    type it then had: there the row only has to be in force before it is on again.
    """
    row = _row(server_uid, Kind.SERVER, at, server)
    PriceRow.objects.get_or_create(
        server_uid=server_uid,
        kind=Kind.SERVER,
        valid_from=at,
        defaults={
            "hourly_micros": row.hourly_micros,
            "monthly_micros": row.monthly_micros,
            "currency": row.currency,
            "counts_anew": counts_anew,
        },
    )


@transaction.atomic
def pin_copy_price(*, copy_uid: str, at: datetime, gigabytes: float, terabyte: Rate) -> None:
    """Write down what a disk's copy of that size costs, by the price of 1,000 GB; only once.

    A monthly price is Hetzner's GB-month, which the started hours of a month share; without one
    each started hour costs the same, as at Scaleway. Both are rounded to a millionth, half up.
    """
    if PriceRow.objects.filter(server_uid=copy_uid).exists():
        return
    _row(copy_uid, Kind.SNAPSHOT, at, copy_rate(gigabytes, terabyte)).save(force_insert=True)


def copy_rate(gigabytes: float, terabyte: Rate) -> Rate:
    """What a copy of that size costs, by the price of 1,000 GB."""
    monthly = terabyte.monthly_micros
    return Rate(
        hourly_micros=_part(terabyte.hourly_micros, gigabytes),
        monthly_micros=None if monthly is None else _part(monthly, gigabytes),
        currency=terabyte.currency,
    )


def _part(micros: int, gigabytes: float) -> int:
    exact = Decimal(micros) * Decimal(str(gigabytes)) / TERABYTE_IN_GB
    return int(exact.to_integral_value(ROUND_HALF_UP))


def _row(server_uid: str, kind: Kind, at: datetime, rate: Rate) -> PriceRow:
    return PriceRow(
        server_uid=server_uid,
        kind=kind,
        valid_from=at,
        hourly_micros=rate.hourly_micros,
        monthly_micros=rate.monthly_micros,
        currency=rate.currency,
    )
