"""What a difference between books is, in people's words, with the figures of both sides."""

from __future__ import annotations

from django.utils.translation import gettext as _

from farm.billing.amounts import to_the_micro
from farm.billing.models import Kind
from farm.billing.reconciliation_rows import Difference, Side
from farm.billing.reconciling import Gap
from farm.billing.statements import CURRENCY


def sentence_of(row: Difference) -> str:
    """In the active language: which machine, kind and hours, and the amounts."""
    place, ours, other = _place(row), _ours(row), to_the_micro(row.other_micros, CURRENCY)
    match row.side:
        case Side.INVENTORY:
            text = _("{place}: written down are {ours}; by its times and prices {hours} h, {other}")
        case Side.CLOUD:
            text = _("{place}: written down are {ours}; {cloud} charges {other}{counted}")
        case Side.POSTED:
            text = _("{place}: used was {micros}, posted to the ledger is {other}")
        case _:
            text = _("{place}: its running total is {micros}, its transfers add up to {other}")
    counted = "" if row.other_hours is None else f" ({row.other_hours} h)"
    return text.format(
        place=place,
        ours=ours,
        other=other,
        hours=row.other_hours or 0,
        cloud=row.provider,
        counted=counted,
        micros=to_the_micro(row.micros, CURRENCY),
    )


def as_row(gap: Gap) -> Difference:
    """The same as a row that is not saved."""
    return Difference(
        side=gap.side,
        provider=gap.provider,
        subject=gap.subject,
        kind=gap.kind,
        month=gap.month,
        hours=gap.ours.hours,
        other_hours=gap.other_hours,
        micros=gap.ours.micros,
        other_micros=gap.other.micros,
    )


def _place(row: Difference) -> str:
    if row.side in (Side.POSTED, Side.RUNNING):
        return row.subject
    month = f"{row.month:%Y-%m}"
    kind = str(Kind(row.kind).label) if row.kind in Kind.values else row.kind
    if row.side == Side.INVENTORY and not row.provider:
        text = _("{subject} (no machine and no copy of this farm), {kind}, {month}")
    else:
        text = _("{subject}, {kind}, {month}")
    return text.format(subject=row.subject, kind=kind, month=month)


def _ours(row: Difference) -> str:
    return f"{row.hours} h, {to_the_micro(row.micros, CURRENCY)}"
