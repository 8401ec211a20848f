"""What a cloud's announced change of prices comes to for a machine that is there already."""

from __future__ import annotations

from datetime import datetime

from farm.billing.models import Kind, PriceRow
from farm.billing.price_change_rows import PriceChange
from farm.billing.prices import Rate, reprice
from farm.billing.selectors import parts_of, with_fee


def coming_change(
    provider: str, server_type: str, location: str, now: datetime
) -> PriceChange | None:
    """The next that people were told of and that is not in force yet."""
    told = PriceChange.objects.filter(
        provider=provider, server_type=server_type, location=location, told_at__isnull=False
    )
    return told.filter(applied_at=None, valid_from__gt=now).order_by("valid_from").first()


def new_rate(change: PriceChange) -> Rate:
    """What its kind costs from its date on."""
    return Rate(change.hourly_micros, change.monthly_micros, change.currency)


def is_touched(server_uid: str, change: PriceChange) -> bool:
    """Whether the server's price is from before the change's date."""
    rows = PriceRow.objects.filter(server_uid=server_uid, kind=change.kind)
    newest = rows.order_by("valid_from").last()
    return newest is not None and newest.valid_from < change.valid_from


def rate_with(server_uid: str, change: PriceChange) -> Rate:
    """What all of the server costs a payer once it is in force."""
    parts = dict(parts_of(server_uid))
    parts.pop(Kind.FEE, None)
    return with_fee([*(parts | {Kind(change.kind): new_rate(change)}).values()])


def put_in_force(server_uid: str, change: PriceChange) -> None:
    """From its date on the server costs that; its hours and its month are counted on."""
    reprice(
        server_uid=server_uid,
        kind=Kind(change.kind),
        at=change.valid_from,
        rate=new_rate(change),
    )
