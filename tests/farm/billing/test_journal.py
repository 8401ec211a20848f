"""The accountant's journal: whole cents, balanced, and never further off than half a cent."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest

from farm.billing.journal import journal_rows
from farm.billing.ledger_rows import Book
from farm.billing.transfers import Side, move

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 9, 28, 12, tzinfo=UTC)
MICROS = [4_999, 4_999, 12_345, 1, 7_200_000, 3_333, 3_333, 3_334, 999_999]


def posted() -> Counter[str]:
    """A transfer a day over a month's end, every third the other way; what each book got."""
    sums = Counter[str]()
    for number, micros in enumerate(MICROS):
        sides = [Side(Book.KEPT), Side(Book.HOUSE)]
        to, whence = reversed(sides) if number % 3 == 2 else sides
        now = DAY + timedelta(days=number)
        assert move(debit=to, credit=whence, micros=micros, source=f"x:{number}", now=now)
        sums[to.book] += micros
        sums[whence.book] -= micros
    return sums


def journal(month: date) -> list[dict[str, str]]:
    """Its rows by their columns."""
    head, *rows = journal_rows(month)
    return [dict(zip(head, row, strict=True)) for row in rows]


def cents(micros: int) -> Decimal:
    """Rounded once."""
    return (Decimal(micros) / 1_000_000).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def test_entries_of_all_months_come_to_the_rounded_sum() -> None:
    sums = posted()
    rows = [*journal(date(2026, 9, 1)), *journal(date(2026, 10, 1))]
    assert journal(date(2026, 8, 1)) == journal(date(2026, 11, 1)) == []
    found = defaultdict[str, Decimal](Decimal)
    for row in rows:
        found[row["account"]] += Decimal(row["debit"] or 0) - Decimal(row["credit"] or 0)
    assert found["4970"] == cents(sums[Book.KEPT])
    assert found["1360"] == -cents(sums[Book.KEPT])


def test_each_entry_is_balanced_and_of_something() -> None:
    posted()
    rows = journal(date(2026, 9, 1)) + journal(date(2026, 10, 1))
    entries = Counter(row["entry"] for row in rows)
    assert set(entries.values()) == {2}
    assert len(entries) < len(MICROS), "what comes to no cent is no entry"
    for one, other in zip(rows[::2], rows[1::2], strict=True):
        assert (one["debit"], one["credit"]) == (other["credit"], other["debit"])
        assert Decimal(one["debit"]) > 0
        assert one["text"] == other["text"]
        assert ", x:" in one["text"]
