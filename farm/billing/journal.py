"""The accountant's journal: each transfer of the ledger as an entry of two rows, in cents.

The ledger counts millionths. Between the same two accounts an entry is by how much the rounded sum
grew, so that the entries of any time add up to the rounded sum, and each entry is balanced.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from django.conf import settings
from django.db.models import Sum
from django.utils.translation import gettext as _

from farm.accounts.refusals import Refused
from farm.billing.ledger_rows import Book, LedgerAccount, Transfer
from farm.billing.rule import next_month

AT_ONCE = 2_000
CENT = 10_000
CODES = {
    Book.PAYER: "1400",
    Book.HOUSE: "1360",
    Book.CLOUDS: "1600",
    Book.VAT: "1776",
    Book.COST: "3100",
    Book.KEPT: "4970",
    Book.MACHINES: "8400",
    Book.AI: "8401",
    Book.FEE: "8402",
    Book.CORRECTED: "8700",
}
"""After Germany's SKR 03, until the operator's accountant names others in JOURNAL_ACCOUNTS."""
COLUMNS = ("date", "entry", "account", "text", "debit", "credit", "currency")
Pair = tuple[int, int]


def journal_rows(month: date) -> Iterator[Sequence[str]]:
    """The head, then two rows for each transfer of the month's days that comes to a cent.

    Refused if JOURNAL_ACCOUNTS is not what it should be.
    """
    codes, accounts = account_codes(), _accounts()
    sums = _before(month)
    days = Transfer.objects.filter(day__gte=month, day__lt=next_month(month))
    yield COLUMNS
    for one in days.order_by("day", "pk").iterator(chunk_size=AT_ONCE):
        cents = _grown(sums, one)
        if not cents:
            continue
        to, whence = (one.debit_id, one.credit_id) if cents > 0 else (one.credit_id, one.debit_id)
        money, text = f"{Decimal(abs(cents)) / 100:.2f}", _text(accounts, one)
        who = one.day.isoformat(), str(one.pk)
        yield (*who, codes[accounts[to].book], text, money, "", one.currency)
        yield (*who, codes[accounts[whence].book], text, "", money, one.currency)


def account_codes() -> Mapping[str, str]:
    """The accountant's number of each book."""
    codes = {str(book): code for book, code in CODES.items()}
    for word in settings.JOURNAL_ACCOUNTS:
        book, _equals, code = word.partition("=")
        if book not in codes or not code.isalnum():
            text = _(
                "JOURNAL_ACCOUNTS: {word} is not understood. Write {book}=1400 and the like,"
                " separated by commas, for {known}."
            )
            known = ", ".join(codes)
            raise Refused(
                "", "journal_accounts", text.format(word=word, book=Book.PAYER, known=known)
            )
        codes[book] = code
    return codes


def _accounts() -> Mapping[int, LedgerAccount]:
    return LedgerAccount.objects.select_related("payer__account").in_bulk()


def _before(month: date) -> Counter[Pair]:
    """What went between each two accounts before that month, from the second to the first."""
    sums = Counter[Pair]()
    rows = Transfer.objects.filter(day__lt=month).order_by().values_list("debit", "credit")
    for debit, credit, micros in rows.annotate(sum=Sum("amount_micros")):
        _add(sums, debit, credit, micros)
    return sums


def _grown(sums: Counter[Pair], one: Transfer) -> int:
    """By how many cents the rounded sum grew, from the transfer's credit to its debit."""
    pair, sign = _pair(one.debit_id, one.credit_id)
    before = _cents(sums[pair])
    _add(sums, one.debit_id, one.credit_id, one.amount_micros)
    return sign * (_cents(sums[pair]) - before)


def _add(sums: Counter[Pair], debit: int, credit: int, micros: int) -> None:
    pair, sign = _pair(debit, credit)
    sums[pair] += sign * micros


def _pair(debit: int, credit: int) -> tuple[Pair, int]:
    return ((debit, credit), 1) if debit < credit else ((credit, debit), -1)


def _cents(micros: int) -> int:
    """Half a cent up; below nothing it is half a cent down, so that both ways are alike."""
    whole = (2 * abs(micros) + CENT) // (2 * CENT)
    return whole if micros >= 0 else -whole


def _text(accounts: Mapping[int, LedgerAccount], one: Transfer) -> str:
    """What it is about: who pays, and the transfer's own words."""
    sides = (accounts[one.debit_id], accounts[one.credit_id])
    payer = next((side.payer for side in sides if side.payer), None)
    book = next((side for side in sides if not side.payer), sides[0])
    named = [str(Book(book.book).label), str(payer) if payer else "", one.source, one.reason]
    return ", ".join(filter(None, named))
