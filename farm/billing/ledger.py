"""The ledger: every day of use posted once, as transfers between accounts with running totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import transaction
from django.db.models import F, Min, Q, Sum
from django.db.models.functions import TruncDate

from farm.billing.ai_rows import AiDay
from farm.billing.ledger_rows import Book, LateMonth, LedgerAccount, Transfer
from farm.billing.models import Kind, Payer, UsageLine
from farm.billing.rule import month_of
from farm.billing.statements import CURRENCY, month_before

SETTLED = timedelta(hours=2)
"""By then what a day's last hours cost is written, if the meter runs; what comes later follows."""
WRITING = timedelta(days=1)
"""Lines that were about to be written surely are by then."""
Sides = tuple[int, int]
"""Debited and credited account, by pk."""


class Accounts:
    """The ledger's accounts, each made when it is first asked for."""

    def __init__(self) -> None:
        rows = LedgerAccount.objects.select_related("payer")
        self._known = {(row.book, row.currency, row.payer): row for row in rows}

    def open_for(self, payers: Collection[Payer]) -> None:
        """Make those of the payers that have none in the usual currency, all at once."""
        missing = [p for p in payers if (str(Book.PAYER), CURRENCY, p) not in self._known]
        rows = [LedgerAccount(book=Book.PAYER, currency=CURRENCY, payer=p) for p in missing]
        LedgerAccount.objects.bulk_create(rows, ignore_conflicts=True)
        made = LedgerAccount.objects.filter(payer__in=missing).select_related("payer")
        self._known |= {(row.book, row.currency, row.payer): row for row in made}

    def of(self, book: Book, currency: str, payer: Payer | None = None) -> LedgerAccount:
        """That of the book, or of the payer."""
        key = (str(book), currency, payer)
        if key not in self._known:
            self._known[key], _ = LedgerAccount.objects.get_or_create(
                book=book, currency=currency, payer=payer
            )
        return self._known[key]


@dataclass(frozen=True, slots=True)
class Entry:
    """What is due between two accounts for a day."""

    debit: LedgerAccount
    credit: LedgerAccount
    day: date
    micros: int


@dataclass(frozen=True, slots=True)
class Unequal:
    """An account whose running total is not the sum of its transfers."""

    account: LedgerAccount
    running: int
    summed: int


def is_due(now: datetime) -> bool:
    """Whether a day is over of which nothing was posted since."""
    today = (now - SETTLED).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    # Money that comes and goes is posted at any time, and says what it is about.
    return not Transfer.objects.filter(at__gte=today + SETTLED, source="").exists()


def open_from(now: datetime) -> date:
    """The first month of which use may be written that is not posted yet.

    The one before that of the last posting, however long ago that was, or one of which lines were
    written since. Before the first posting, that in which use began.
    """
    posted = Transfer.objects.filter(source="").order_by("-at").values_list("at", flat=True)
    if last := posted.first():
        late = LateMonth.objects.filter(noted_at__gt=last - WRITING).values_list("month", flat=True)
        return min((month_before(month_of(min(last, now) - SETTLED)), *late))
    machines: date | None = UsageLine.objects.aggregate(first=Min("month"))["first"]
    ai: date | None = AiDay.objects.aggregate(first=Min("day"))["first"]
    return min(first for first in (machines, ai, month_of(now)) if first).replace(day=1)


def note_late(months: Iterable[date], now: datetime) -> None:
    """Lines of these months are about to be written: those of months long over are posted yet."""
    for month in {month for month in months if month < month_before(month_of(now - SETTLED))}:
        LateMonth.objects.update_or_create(month=month, defaults={"noted_at": now})


@transaction.atomic
def post(now: datetime) -> int:
    """Post what of the days that are over is written and not yet posted.

    Answers how many transfers that were. However often and late it runs, and beside others of its
    kind, the sum for a day is what its lines say; what it has posted stays as it is.
    """
    # Whoever posts holds this row until the end: nobody else reads what is posted meanwhile.
    clouds = Accounts().of(Book.CLOUDS, CURRENCY)
    LedgerAccount.objects.select_for_update(no_key=True).get(pk=clouds.pk)
    until = (now - SETTLED).astimezone(UTC).date()
    first = open_from(now)
    posted, numbers = _posted(first, until)
    accounts = Accounts()
    transfers = [
        transfer
        for entry in (*_machines(accounts, first, until), *_ai(accounts, first, until))
        if (transfer := _transfer(entry, posted, numbers, now))
    ]
    Transfer.objects.bulk_create(transfers)
    _keep_totals(transfers)
    return len(transfers)


def unequal() -> Sequence[Unequal]:
    """Accounts whose running total is not what their transfers add up to: there must be none."""
    sums: Counter[int] = Counter()
    for side, sign in (("debit", 1), ("credit", -1)):
        rows = Transfer.objects.order_by().values_list(side).annotate(sum=Sum("amount_micros"))
        for pk, micros in rows:
            sums[pk] += sign * micros
    return [
        Unequal(account, account.balance_micros, sums[account.pk])
        for account in LedgerAccount.objects.select_related("payer").order_by("pk")
        if account.balance_micros != sums[account.pk]
    ]


def _machines(accounts: Accounts, first: date, until: date) -> Iterator[Entry]:
    """What payers are charged for machines, the fee apart, and what clouds charge the farm."""
    lines = UsageLine.objects.filter(month__gte=first, began_at__lt=_midnight(until)).order_by()
    by_day = lines.annotate(day=TruncDate("began_at", tzinfo=UTC)).values_list(
        "payer", "currency", "day"
    )
    fee = Q(kind=Kind.FEE)
    cloud: Counter[tuple[str, date]] = Counter()
    payers = Payer.objects.in_bulk()
    # All three sums in one reading of the lines: there are millions of them.
    sums = list(
        by_day.annotate(
            charged=Sum("micros", filter=~fee),
            fee=Sum("micros", filter=fee),
            cloud=Sum("cloud_micros"),
        )
    )
    accounts.open_for([payers[pk] for pk in sorted({row[0] for row in sums if row[0]})])
    for pk, currency, day, charged, taken, cost in sums:
        cloud[currency, day] += cost
        if pk is not None:
            payer = accounts.of(Book.PAYER, currency, payers[pk])
            yield Entry(payer, accounts.of(Book.MACHINES, currency), day, charged or 0)
            if taken:
                yield Entry(payer, accounts.of(Book.FEE, currency), day, taken)
    for (currency, day), micros in cloud.items():
        yield Entry(
            accounts.of(Book.COST, currency), accounts.of(Book.CLOUDS, currency), day, micros
        )


def _ai(accounts: Accounts, first: date, until: date) -> Iterator[Entry]:
    """What payers are charged for AI through the relay."""
    days = AiDay.objects.filter(day__gte=first, day__lt=until).exclude(payer_uid="").order_by()
    payers = {payer.uid: payer for payer in Payer.objects.all()}
    for uid, day, micros in days.values_list("payer_uid", "day").annotate(sum=Sum("cost_micros")):
        if uid in payers:
            payer = accounts.of(Book.PAYER, CURRENCY, payers[uid])
            yield Entry(payer, accounts.of(Book.AI, CURRENCY), day, micros)


def _posted(
    first: date, until: date
) -> tuple[Mapping[tuple[Sides, date], int], Counter[tuple[Sides, date]]]:
    """What is posted by sides and day, corrections taken off, and how many transfers that were."""
    sums, numbers = Counter[tuple[Sides, date]](), Counter[tuple[Sides, date]]()
    rows = Transfer.objects.filter(day__gte=first, day__lt=until).values_list(
        "debit", "credit", "day", "amount_micros"
    )
    for debit, credit, day, micros in rows:
        sums[(debit, credit), day] += micros
        sums[(credit, debit), day] -= micros
        numbers[(debit, credit), day] += 1
    return sums, numbers


def _transfer(
    entry: Entry,
    posted: Mapping[tuple[Sides, date], int],
    numbers: Counter[tuple[Sides, date]],
    now: datetime,
) -> Transfer | None:
    """What is missing of it, or what is too much the other way round; None if all is there."""
    missing = entry.micros - posted.get(((entry.debit.pk, entry.credit.pk), entry.day), 0)
    if not missing:
        return None
    debit, credit = (entry.debit, entry.credit) if missing > 0 else (entry.credit, entry.debit)
    key = (debit.pk, credit.pk), entry.day
    numbers[key] += 1
    return Transfer(
        debit=debit,
        credit=credit,
        amount_micros=abs(missing),
        currency=debit.currency,
        day=entry.day,
        number=numbers[key],
        at=now,
    )


def _keep_totals(transfers: Sequence[Transfer]) -> None:
    changes: Counter[int] = Counter()
    for transfer in transfers:
        changes[transfer.debit.pk] += transfer.amount_micros
        changes[transfer.credit.pk] -= transfer.amount_micros
    for pk, micros in changes.items():
        row = LedgerAccount.objects.filter(pk=pk)
        row.update(balance_micros=F("balance_micros") + micros)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
