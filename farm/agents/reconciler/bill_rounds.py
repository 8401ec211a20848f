"""The round that has months closed: on the first of the next, once all its hours are written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone

from farm.agents.models import DiskCopy, Server
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.metering import meter
from farm.agents.reconciler.stripe_waits import wait
from farm.agents.reconciler.troubles import Nap
from farm.agents.stays import LastSeen
from farm.billing.bill_rows import Bill, BillRound
from farm.billing.bills import close_month, over_at
from farm.billing.rule import begin_of, month_of, next_month
from farm.billing.statements import month_before

LOOK: Final = timedelta(minutes=10)
HOUR: Final = timedelta(hours=1)
LONGEST_WAIT: Final = timedelta(days=3)
"""A cloud that tells nothing for so long holds no bill up: what it tells later is on the next."""


def ensure_bill_round(now: datetime) -> None:
    """The row that has months closed; made once, driven like any other row."""
    BillRound.objects.get_or_create(pk=1, defaults={"due_at": now})


def drive_bill_round(claim: Claim[BillRound]) -> Nap:
    """Close what is over and not closed, the earliest first; wait for clouds not heard of since."""
    row, now = claim.row, timezone.now()
    for month in _open_months(row.closed_to, now):
        if now < closes_at(month):
            return closes_at(month) - now
        if now < closes_at(month) + LONGEST_WAIT and not all_seen(month):
            return wait(claim, LOOK, f"Not every cloud was read since {month:%Y-%m} ended.")
        meter(now)
        close_month(month, now)
        row.closed_to, row.trouble = month, ""
        with claim.recording():
            claim.save("closed_to", "trouble")
    return closes_at(month_of(now)) - now


def closes_at(month: date) -> datetime:
    """From when on its bills may be made."""
    hour = begin_of(next_month(month)) + timedelta(hours=settings.BILL_HOUR)
    return max(hour, over_at(month))


def all_seen(month: date) -> bool:
    """Whether every machine and copy that may still have hours in that month was seen since."""
    end, seen = begin_of(next_month(month)), LastSeen()
    for things in (Server.objects, DiskCopy.objects):
        living = things.filter(created_at__lt=end, metered=False, gone_at=None)
        moments = (seen.of(thing) for thing in living)
        if any(at is None or at < end + HOUR for at in moments):
            return False
    return True


def _open_months(closed_to: date | None, now: datetime) -> Iterator[date]:
    """Every month since the last one that is closed, up to the one before this."""
    last = month_before(now.astimezone(UTC).date().replace(day=1))
    known = closed_to or Bill.objects.order_by("-month").values_list("month", flat=True).first()
    month = next_month(known) if known else last
    while month <= last:
        yield month
        month = next_month(month)
