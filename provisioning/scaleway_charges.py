"""What Scaleway charges for each thing of a project, from its own billing API.

Source: the official SDK's `scaleway.billing.v2beta1` (`BillingV2Beta1FinOpsAPI.list_charges`). The
key needs the permission set BillingReadOnly.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from scaleway.billing.v2beta1 import Charge as RawCharge

from provisioning.provider import BillableKind, Charge, Charges
from provisioning.scaleway_line import MOST_PAGES, PAGE, Lines

KINDS = (
    ("snapshot", BillableKind.SNAPSHOT),
    ("/storage/", BillableKind.VOLUME),
    ("/volume", BillableKind.VOLUME),
    ("ipv4", BillableKind.IPV4),
    ("/ip", BillableKind.IPV4),
    ("/compute/", BillableKind.SERVER),
)
"""What of a SKU tells its kind; the first that is in it."""


def charges_of(lines: Lines, project: str, month: date) -> Charges:
    """That month's charges, known up to when the cloud last counted them."""
    begins = datetime(month.year, month.month, 1, tzinfo=UTC)
    ends = (begins + timedelta(days=31)).replace(day=1)
    raw = [
        one
        for one in _all(lines, project, begins, ends)
        if one.start_date and begins <= one.start_date.astimezone(UTC) < ends
    ]
    # What ended long ago is not counted again: the latest tells how far the cloud has come.
    counted = [one.updated_at.astimezone(UTC) for one in raw if one.updated_at]
    return Charges(max(counted, default=datetime.now(UTC)), tuple(map(_charge, raw)))


def _all(lines: Lines, project: str, begins: datetime, ends: datetime) -> Iterator[RawCharge]:
    token: str | None = None
    for _page in range(MOST_PAGES):
        answer = lines.costs.list_charges(
            project_ids=[project],
            start_date_after=begins,
            end_date_before=ends,
            page_size=PAGE,
            page_token=token,
        )
        yield from answer.charges
        token = answer.next_page_token
        if not token:
            return


def _charge(raw: RawCharge) -> Charge:
    price = raw.price
    return Charge(
        kind=next((kind for word, kind in KINDS if word in raw.sku.lower()), None),
        id=raw.resource_id,
        name=raw.resource_name or "",
        micros=int(price.units) * 1_000_000 + round(price.nanos / 1000) if price else 0,
        currency=price.currency_code if price else "EUR",
    )
