"""What writes prices: pinned when something is asked for or becomes something else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.conf import settings
from django.db import transaction

from farm.billing.models import Kind, PriceRow

TERABYTE_IN_GB = 1_000
MICROS = 1_000_000
HOURS_OF_MONTH = 730
"""What a fixed sum for a month is shared by."""
HOURS_OF_LONGEST_MONTH = 31 * 24


@dataclass(frozen=True, slots=True)
class Rate:
    """Net, in integer micro-units of `currency`; `monthly_micros` caps a calendar month."""

    hourly_micros: int
    monthly_micros: int | None
    currency: str


def fee_on(parts: Sequence[Rate], *, machine: bool = True) -> Rate | None:
    """The farm's own fee on what these cost together; None where it takes none.

    FEE_PERCENT of the price, for an hour and for a month, and FEE_MONTHLY for each `machine`, which
    the hours of a month share; rounded once to a millionth, half up.
    """
    percent = settings.FEE_PERCENT / 100
    fixed = settings.FEE_MONTHLY * MICROS if machine else Decimal(0)
    if not percent and not fixed:
        return None
    hourly = percent * sum(part.hourly_micros for part in parts)
    caps = [part.monthly_micros for part in parts if part.monthly_micros is not None]
    monthly = percent * sum(caps) if len(caps) == len(parts) else hourly * HOURS_OF_LONGEST_MONTH
    return Rate(
        hourly_micros=_whole(hourly + fixed / HOURS_OF_MONTH),
        # Where every hour of a cloud costs the same, only the fixed part has an end.
        monthly_micros=_whole(monthly + fixed) if fixed or len(caps) == len(parts) else None,
        currency=parts[0].currency,
    )


def pin_prices(
    *, server_uid: str, at: datetime, server: Rate, ipv4: Rate, volume: Rate | None = None
) -> None:
    """Write down what a server, its IPv4 and a disk sold apart cost from `at` on, and the fee.

    In the asker's transaction.
    """
    parts = [rate for rate in (server, ipv4, volume) if rate is not None]
    together = (
        (Kind.SERVER, server),
        (Kind.IPV4, ipv4),
        (Kind.VOLUME, volume),
        (Kind.FEE, fee_on(parts)),
    )
    for kind, rate in together:
        if rate is not None:
            _row(server_uid, kind, at, rate).save(force_insert=True)


def reprice_server(*, server_uid: str, at: datetime, server: Rate, counts_anew: bool) -> None:
    """From `at` on, when it became another type, the server costs that; its other parts the same.

    In the transaction that writes down the type; doing so again changes nothing. `at` is when the
    cloud was asked, before the machine was switched on again. The fee on it is that of today's
    settings. Whether its cloud `counts_anew` from there is a rule of the cloud's.
    """
    reprice(server_uid=server_uid, kind=Kind.SERVER, at=at, rate=server, counts_anew=counts_anew)


@transaction.atomic
def reprice(
    *, server_uid: str, kind: Kind, at: datetime, rate: Rate, counts_anew: bool = False
) -> None:
    """From `at` on one kind of it costs that, and the fee on all of it follows; safe to repeat."""
    _once(_row(server_uid, kind, at, rate, counts_anew=counts_anew))
    pinned = _pinned(server_uid, at)
    had = pinned.pop(Kind.FEE, None)
    fee = fee_on(list(pinned.values()))
    if had is not None or fee is not None:
        nothing = Rate(0, 0, rate.currency)
        _once(_row(server_uid, Kind.FEE, at, fee or nothing, counts_anew=counts_anew))


def _pinned(server_uid: str, at: datetime) -> dict[str, Rate]:
    """What each kind of it costs at that moment."""
    rows = PriceRow.objects.filter(server_uid=server_uid, valid_from__lte=at)
    return {
        row.kind: Rate(row.hourly_micros, row.monthly_micros, row.currency)
        for row in rows.order_by("valid_from")
    }


def _once(row: PriceRow) -> None:
    PriceRow.objects.get_or_create(
        server_uid=row.server_uid,
        kind=row.kind,
        valid_from=row.valid_from,
        defaults={
            "hourly_micros": row.hourly_micros,
            "monthly_micros": row.monthly_micros,
            "currency": row.currency,
            "counts_anew": row.counts_anew,
        },
    )


@transaction.atomic
def pin_copy_price(*, copy_uid: str, at: datetime, gigabytes: float, terabyte: Rate) -> None:
    """Write down what a disk's copy of that size costs, and the fee; only once.

    A monthly price is Hetzner's GB-month, which the started hours of a month share; without one
    each started hour costs the same, as at Scaleway. Both are rounded to a millionth, half up.
    """
    if PriceRow.objects.filter(server_uid=copy_uid).exists():
        return
    rate = copy_rate(gigabytes, terabyte)
    for kind, price in ((Kind.SNAPSHOT, rate), (Kind.FEE, fee_on([rate], machine=False))):
        if price is not None:
            _row(copy_uid, kind, at, price).save(force_insert=True)


def copy_rate(gigabytes: float, terabyte: Rate) -> Rate:
    """What a copy of that size costs, by the price of 1,000 GB."""
    monthly = terabyte.monthly_micros
    return Rate(
        hourly_micros=_part(terabyte.hourly_micros, gigabytes),
        monthly_micros=None if monthly is None else _part(monthly, gigabytes),
        currency=terabyte.currency,
    )


def _part(micros: int, gigabytes: float) -> int:
    return _whole(Decimal(micros) * Decimal(str(gigabytes)) / TERABYTE_IN_GB)


def _whole(exact: Decimal) -> int:
    return int(exact.to_integral_value(ROUND_HALF_UP))


def _row(
    server_uid: str, kind: Kind, at: datetime, rate: Rate, *, counts_anew: bool = False
) -> PriceRow:
    return PriceRow(
        server_uid=server_uid,
        kind=kind,
        valid_from=at,
        hourly_micros=rate.hourly_micros,
        monthly_micros=rate.monthly_micros,
        currency=rate.currency,
        counts_anew=counts_anew,
    )
