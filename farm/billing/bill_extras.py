"""What a bill has to say besides use: rounding of before, corrections, money paid in advance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import date

from django.db.models import Q, QuerySet, Sum

from farm.billing.bill_rows import Bill, BillCredit
from farm.billing.ledger_rows import BEFORE, Book, Transfer
from farm.billing.rule import next_month
from farm.billing.statements import month_before

OF_BILLS = Q(source__startswith="bill:") | Q(source__startswith="credit:")
DISPUTED = Q(source__startswith="dispute:") & ~Q(source__endswith=":fee")
"""Money that a bank took back for now is still owed, and no bill asks for it a second time."""


def brought_over(payers: AbstractSet[int], month: date) -> Mapping[int, int]:
    """Micro-euros by payer, below 0 for what is already paid.

    Whoever had no bill of the month before brings what was paid and not used until then; what was
    owed then was never to be billed.
    """
    sums = Counter[int](_moved(month, next_month(month)))
    last = Bill.objects.filter(month=month_before(month)).values_list("payer", "carried_micros")
    carried = dict(last)
    before = _before(month) if payers - carried.keys() else {}
    for pk in payers:
        sums[pk] += carried[pk] if pk in carried else min(0, before.get(pk, 0))
    return sums


def _moved(since: date, until: date) -> Mapping[int, int]:
    """What was posted in that time that is neither use nor of bills."""
    days = Transfer.objects.filter(day__gte=since, day__lt=until).exclude(source="")
    given = BillCredit.objects.exclude(refund="").values_list("refund", flat=True)
    of_credits = [f"refund:{refund}:net" for refund in given]
    days = days.exclude(source__endswith=BEFORE)
    return _owed(days.exclude(OF_BILLS).exclude(DISPUTED).exclude(source__in=of_credits))


def _before(month: date) -> Mapping[int, int]:
    """What each owed when the month began, use and all."""
    return _owed(Transfer.objects.filter(day__lt=month))


def _owed(transfers: QuerySet[Transfer]) -> Mapping[int, int]:
    sums = Counter[int]()
    for side, sign in (("debit", 1), ("credit", -1)):
        mine = transfers.filter(**{f"{side}__book": Book.PAYER}).order_by()
        rows = mine.values_list(f"{side}__payer").annotate(micros=Sum("amount_micros"))
        for pk, micros in rows:
            sums[pk] += sign * micros
    return sums
