"""A month of trusted payers is closed once, to the cent, and nothing is lost between months."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as some

from farm.billing.bill_drafts import drafts_of
from farm.billing.bill_rows import Bill, BillLine
from farm.billing.bill_sums import Part, items_of
from farm.billing.bill_wishes import MOST_ITEMS, wish_of
from farm.billing.bills import NotOver, close_month
from farm.billing.customer_rows import Customer
from farm.billing.ledger import unequal
from farm.billing.ledger_rows import Book
from farm.billing.models import Kind, Payer
from farm.billing.transfers import CENT, Side, move, of_payer
from tests.farm.billing.bill_scenes import (
    BEGAN,
    DECEMBER,
    NOVEMBER,
    OCTOBER,
    closing,
    thought,
    trusted,
    used,
)

pytestmark = pytest.mark.django_db


def close(month: date) -> Bill:
    """The one bill that closing makes."""
    (bill,) = close_month(month, closing(month))
    return bill


def lines_of(bill: Bill) -> Sequence[tuple[str, int, int]]:
    """Whose, exact, in cents."""
    return list(bill.lines.order_by("pk").values_list("agent_uid", "micros", "cents"))


def test_an_agent_has_one_item_of_machine_ai_and_fee() -> None:
    payer = trusted()
    used(payer, "ada", 3_004_000, NOVEMBER)
    used(payer, "ada", 1_000_000, NOVEMBER, hour=1)
    used(payer, "ada", 400_000, NOVEMBER, kind=Kind.FEE)
    thought(payer, "ada", 600_999, date(2026, 11, 30))
    thought(payer, "bob", 2_000_000, date(2026, 11, 1))
    thought(payer, "bob", 9_000_000, date(2026, 12, 1))
    bill = close(NOVEMBER)
    assert lines_of(bill) == [("ada", 5_004_999, 500), ("bob", 2_000_000, 200)]
    ada = bill.lines.get(agent_uid="ada")
    assert (ada.machine_micros, ada.ai_micros, ada.fee_micros) == (4_004_000, 600_999, 400_000)
    assert (bill.state, bill.net_cents, bill.net_micros) == (Bill.State.CLOSED, 700, 7_004_999)
    assert bill.carried_micros == 4_999
    assert not unequal()


def test_a_month_is_closed_once() -> None:
    payer = trusted()
    used(payer, "ada", 3_000_000, NOVEMBER)
    close(NOVEMBER)
    assert close_month(NOVEMBER, closing(NOVEMBER)) == []
    assert close_month(OCTOBER, closing(NOVEMBER)) == []
    assert (Bill.objects.count(), BillLine.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_many_who_close_at_once_make_one_bill() -> None:
    payer = trusted()
    used(payer, "ada", 3_000_000, NOVEMBER)
    made: list[int] = []

    def close_too() -> None:
        try:
            made.append(len(close_month(NOVEMBER, closing(NOVEMBER))))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=close_too) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(made) == [0, 0, 0, 1]
    assert (Bill.objects.count(), BillLine.objects.count()) == (1, 1)
    assert not unequal()


def test_only_trusted_payers_have_bills() -> None:
    for kind in (Payer.Kind.WALLET, Payer.Kind.INTERNAL):
        used(trusted(kind.value, kind), f"of{kind.value}", 3_000_000, NOVEMBER)
    quiet = trusted("Quiet")
    (bill,) = close_month(NOVEMBER, closing(NOVEMBER))
    assert (bill.payer, bill.state, bill.due_at) == (quiet, Bill.State.NOTHING, None)
    assert not BillLine.objects.exists()


def test_a_month_that_runs_is_not_closed() -> None:
    trusted()
    with pytest.raises(NotOver) as refused:
        close_month(NOVEMBER, datetime(2026, 12, 1, 1, 59, tzinfo=UTC))
    assert refused.value.until == datetime(2026, 12, 1, 2, tzinfo=UTC)
    assert not Bill.objects.exists()


def test_what_rounding_leaves_over_is_on_the_next_bill() -> None:
    payer = trusted()
    for n in range(3):
        used(payer, f"a{n}", 1_004_000, NOVEMBER, hour=n)
    november = close(NOVEMBER)
    assert lines_of(november)[-1] == ("", 0, 1)
    assert (november.net_cents, november.carried_micros) == (301, 2_000)
    used(payer, "a0", 1_004_000, DECEMBER)
    december = close(DECEMBER)
    assert lines_of(december) == [("a0", 1_004_000, 100), ("", 2_000, 0)]
    assert december.carried_micros == 6_000


def test_a_late_line_is_an_item_of_its_own_on_the_next_bill() -> None:
    payer = trusted()
    used(payer, "ada", 2_000_000, OCTOBER)
    close(OCTOBER)
    used(payer, "ada", 700_000, OCTOBER, hour=9)
    used(payer, "ada", 3_000_000, NOVEMBER)
    november = close(NOVEMBER)
    assert lines_of(november) == [("ada", 700_000, 70), ("ada", 3_000_000, 300)]
    assert [line.month for line in november.lines.order_by("pk")] == [OCTOBER, NOVEMBER]
    close(DECEMBER)
    assert BillLine.objects.filter(month=OCTOBER).count() == 2


def test_too_little_to_be_charged_waits_for_the_next_bill() -> None:
    payer = trusted()
    used(payer, "ada", 490_000, OCTOBER)
    october = close(OCTOBER)
    assert (october.state, october.net_cents) == (Bill.State.NOTHING, 0)
    assert (lines_of(october), october.carried_micros) == ([("ada", 490_000, 0)], 490_000)
    used(payer, "ada", 10_000, NOVEMBER)
    november = close(NOVEMBER)
    assert (november.net_cents, november.carried_micros) == (50, 0)


def test_corrections_and_what_was_paid_in_advance_are_on_the_bill() -> None:
    payer = trusted()
    used(payer, "ada", 9_000_000, NOVEMBER)
    given = datetime(2026, 11, 20, tzinfo=UTC)
    _move(payer, -1_500_000, "correct:a", given)
    _move(payer, -2_000_000, "topup:b:net", datetime(2026, 10, 20, tzinfo=UTC))
    _move(payer, -500_000, "topup:c:net", given)
    assert close(NOVEMBER).net_cents == 500


def test_what_was_owed_before_the_first_billed_month_is_not_billed() -> None:
    payer = trusted()
    used(payer, "ada", 9_000_000, OCTOBER)
    used(payer, "ada", 1_000_000, NOVEMBER)
    assert close_month(NOVEMBER, closing(NOVEMBER))[0].net_cents == 100


def test_bills_and_their_payments_are_not_billed_again() -> None:
    payer = trusted()
    used(payer, "ada", 2_000_000, OCTOBER)
    october = close(OCTOBER)
    paid = datetime(2026, 11, 3, tzinfo=UTC)
    _move(payer, -2_000_000, f"bill:{october.uid}:net", paid)
    _move(payer, 2_000_000, "dispute:d:taken:net", paid)
    _move(payer, 20_000_000, "dispute:d:fee", paid)
    used(payer, "ada", 1_000_000, NOVEMBER)
    assert close(NOVEMBER).net_cents == 100 + 2000


def _move(payer: Payer, micros: int, source: str, now: datetime) -> None:
    sides = (of_payer(payer), Side(Book.HOUSE))
    debit, credit = sides if micros > 0 else sides[::-1]
    move(debit=debit, credit=credit, micros=abs(micros), source=source, now=now)


def test_many_payers_take_no_more_queries_than_one() -> None:
    def looked(month: date) -> int:
        with CaptureQueriesContext(connection) as seen:
            drafts_of(month)
        return len(seen)

    payers = [trusted(f"P{n}") for n in range(8)]
    used(payers[0], payers[0].name, 2_000_000, OCTOBER)
    close_month(OCTOBER, closing(OCTOBER))
    used(payers[0], payers[0].name, 2_000_000, NOVEMBER)
    few = looked(NOVEMBER)
    for payer in payers[1:]:
        used(payer, payer.name, 2_000_000, NOVEMBER)
        used(payer, payer.name, 2_000_000, OCTOBER, hour=50)
    assert looked(NOVEMBER) == few


@given(
    months=some.lists(
        some.lists(some.integers(min_value=1, max_value=3_000_000), max_size=8), max_size=5
    )
)
def test_bills_add_up_to_what_was_used(months: list[list[int]]) -> None:
    carried = billed = 0
    for costs in months:
        parts = [Part(str(n), "", NOVEMBER, micros, 0, 0) for n, micros in enumerate(costs)]
        items = items_of(parts, carried, NOVEMBER)
        cents = sum(item.cents for item in items)
        carried += sum(costs) - cents * CENT
        billed += cents
        assert cents == 0 or cents >= 50
        assert abs(carried) < (CENT if cents else 50 * CENT)
    assert billed * CENT + carried == sum(sum(costs) for costs in months)


def test_what_is_beyond_an_invoices_items_shares_one() -> None:
    payer = trusted()
    for n in range(MOST_ITEMS + 20):
        thought(payer, f"a{n}", 1_000_000 + n * CENT, NOVEMBER)
    bill = close(NOVEMBER)
    Customer.objects.create(payer=payer, email="a@example.org", stage_at=BEGAN)
    wish = wish_of(bill, Customer.objects.get())
    assert len(wish.lines) == MOST_ITEMS + 1
    assert len({line.key for line in wish.lines}) == MOST_ITEMS + 1
    assert sum(line.cents for line in wish.lines) == bill.net_cents
    assert wish.lines[-1].what.startswith("20 more agents")
    assert wish.lines[0].what == "A100 (a100): AI 2.00\N{NO-BREAK SPACE}EUR"


def test_hours_of_the_last_evening_are_in() -> None:
    payer = trusted()
    line = used(payer, "ada", 1_000_000, NOVEMBER, hour=0)
    late = timedelta(days=25, hours=23)
    used(payer, "ada", 2_000_000, NOVEMBER, hour=late // timedelta(hours=1))
    assert line.month == NOVEMBER
    assert close(NOVEMBER).net_cents == 300
