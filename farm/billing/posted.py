"""Whether what is posted to the ledger for each day is what that day's lines add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time

from django.db.models import Min, Sum
from django.db.models.functions import TruncDate

from farm.billing.ai_rows import AiDay
from farm.billing.expected import Tally
from farm.billing.ledger import unequal
from farm.billing.ledger_rows import Book, Transfer
from farm.billing.models import Payer, UsageLine
from farm.billing.reconciliation_rows import Side
from farm.billing.reconciling import Gap

USE = (Book.MACHINES, Book.FEE, Book.AI)
"""From where payers are charged for what they use."""
CLOUDS = ""
Sums = Counter[tuple[str, date]]
"""Micro-units by payer's uid (`CLOUDS` for what the clouds are owed) and day."""


def against_ledger(since: date, until: date) -> Iterator[Gap]:
    """Days from `since` and before `until` of which something else is posted than was used."""
    first = Transfer.objects.aggregate(first=Min("day"))["first"]
    if first is None:
        return
    begin = max(since, first)
    used, posted = _used(begin, until), _posted(begin, until)
    for who, day in sorted({*used, *posted}):
        ours, other = used[who, day], posted[who, day]
        if ours != other:
            subject = f"{who or Book.CLOUDS} {day:%F}"
            sides = Tally(micros=ours), Tally(micros=other)
            yield Gap(Side.POSTED, "", subject, "", day.replace(day=1), *sides, None)


def against_totals(month: date) -> Iterator[Gap]:
    """Accounts whose running total is not the sum of their transfers; found in that month."""
    for one in unequal():
        sides = Tally(micros=one.running), Tally(micros=one.summed)
        yield Gap(Side.RUNNING, "", str(one.account), "", month, *sides, None)


def _used(since: date, until: date) -> Sums:
    sums = Sums()
    begins, ends = (datetime.combine(day, time(), tzinfo=UTC) for day in (since, until))
    lines = UsageLine.objects.filter(began_at__gte=begins, began_at__lt=ends).order_by()
    dated = lines.annotate(day=TruncDate("began_at", tzinfo=UTC))
    for day, micros in dated.values_list("day").annotate(sum=Sum("cloud_micros")):
        sums[CLOUDS, day] += micros
    charged = dated.exclude(payer=None).values_list("payer__uid", "day")
    for uid, day, micros in charged.annotate(sum=Sum("micros")):
        sums[uid, day] += micros
    known = set(Payer.objects.values_list("uid", flat=True))
    ai = AiDay.objects.filter(day__gte=since, day__lt=until, payer_uid__in=known).order_by()
    for uid, day, micros in ai.values_list("payer_uid", "day").annotate(sum=Sum("cost_micros")):
        sums[uid, day] += micros
    return +sums


def _posted(since: date, until: date) -> Sums:
    sums = Sums()
    rows = Transfer.objects.filter(day__gte=since, day__lt=until).order_by()
    columns = ("debit__book", "debit__payer__uid", "credit__book", "credit__payer__uid", "day")
    for to, payer_to, whence, payer_from, day, micros in rows.values_list(*columns).annotate(
        sum=Sum("amount_micros")
    ):
        for book, payer, other, sign in ((to, payer_to, whence, 1), (whence, payer_from, to, -1)):
            if book == Book.COST and other == Book.CLOUDS:
                sums[CLOUDS, day] += sign * micros
            elif book == Book.PAYER and other in USE:
                sums[str(payer), day] += sign * micros
    return Sums({key: micros for key, micros in sums.items() if micros})
