"""Bills over the wire: one invoice each whatever happens, charged, tried again, credited."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import requests
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from farm.accounts.models import Door, User
from farm.accounts.refusals import Refused
from farm.billing.balances import balance_of
from farm.billing.bill_credits import credit_bill, left_of
from farm.billing.bill_dunning import sentence_of
from farm.billing.bill_rows import Bill, BillCredit
from farm.billing.bills import close_month, trouble
from farm.billing.customer_rows import Customer, Paper
from farm.billing.ledger import unequal
from farm.billing.ledger_rows import Book, LedgerAccount
from farm.billing.models import Payer
from farm.sandbox.wire import JsonObject
from tests.farm.billing.bill_scenes import (
    NOVEMBER,
    at_stripe,
    closing,
    drive,
    drive_credit,
    keep_card,
    trusted,
    used,
)
from tests.sandbox.stripe.acting import GOOD, fill_in
from tests.sandbox.stripe.stripe_at_work import (
    KEY,
    WEBHOOK_SECRET,
    StripeAtWork,
    stripe_at_work,
)

pytestmark = pytest.mark.django_db
REFUSED = "pm_card_chargeCustomerFail"


@pytest.fixture
def house(tmp_path: Path, settings: Settings) -> Iterator[StripeAtWork]:
    """A payment house to which the settings lead."""
    with stripe_at_work(tmp_path / "stripe") as started:
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = KEY, WEBHOOK_SECRET
        settings.STRIPE_API_BASE = started.endpoint
        yield started


def billed(house: StripeAtWork, card: str = "", name: str = "Agency") -> Bill:
    """A closed November of two agents, ten euros net, nobody was told of."""
    payer = trusted(name)
    at_stripe(house, payer, card)
    used(payer, "ada", 4_123_400, NOVEMBER)
    used(payer, "bob", 5_876_600, NOVEMBER)
    (bill,) = close_month(NOVEMBER, closing(NOVEMBER))
    return bill


def lines_there(house: StripeAtWork, bill: Bill) -> list[tuple[str, int]]:
    """What the one invoice of the bill says."""
    client = house.client()
    (invoice,) = client.v1.invoices.list().data
    assert invoice.metadata
    assert invoice.metadata.to_dict() == {"bill": bill.uid, "payer": bill.payer.uid}
    assert invoice.id == bill.invoice
    lines = client.v1.invoices.line_items.list(invoice.id).data
    return [(str(line.description).partition(" ")[0], line.amount) for line in lines]


def owed(payer: Payer) -> int:
    """Net micro-euros, by the ledger."""
    return LedgerAccount.objects.get(payer=payer).balance_micros


def test_a_card_is_charged_and_the_ledger_knows(house: StripeAtWork) -> None:
    bill = drive(billed(house, "pm_card_visa"))
    assert (bill.state, bill.net_cents, bill.tax_cents, bill.paid_cents) == (
        "paid",
        1000,
        200,
        1200,
    )
    assert lines_there(house, bill) == [("Ada", 412), ("Bob", 588)]
    assert owed(bill.payer) == bill.carried_micros == 0
    (vat,) = LedgerAccount.objects.filter(book=Book.VAT)
    assert vat.balance_micros == -2_000_000
    (paper,) = Paper.objects.all()
    assert (paper.sort, paper.status, paper.net_cents, bool(paper.pdf)) == (
        "invoice",
        "paid",
        1000,
        True,
    )
    assert not unequal()
    assert drive(bill).state == "paid"
    assert len(house.client().v1.charges.list().data) == 1


@pytest.mark.parametrize("call", ["v1/invoices ", "v1/invoiceitems", "finalize", "/pay"])
@pytest.mark.parametrize("later", [timedelta(), timedelta(hours=25)])
def test_an_answer_that_is_lost_makes_no_second_invoice(
    house: StripeAtWork, call: str, later: timedelta
) -> None:
    bill = billed(house, "pm_card_visa")
    lost: JsonObject = {
        "name": "reset-after",
        "cloud": "stripe",
        "match": ["POST", call.strip()],
        "times": 3,
    }
    house.order("/faults", lost)
    waiting = drive(bill)
    assert (waiting.state in {"closed", "open"}, waiting.trouble != "") == (True, True)
    assert waiting.due_at is not None
    requests.delete(f"{house.control}/faults", timeout=30)
    house.pass_time(later)
    paid = drive(bill)
    assert (paid.state, paid.trouble) == ("paid", "")
    assert lines_there(house, paid) == [("Ada", 412), ("Bob", 588)]
    assert owed(paid.payer) == 0
    assert len(house.client().v1.charges.list().data) == 1


def test_without_a_card_it_is_sent_and_paid_by_hand(house: StripeAtWork) -> None:
    bill = drive(billed(house))
    assert (bill.state, bill.tries) == ("open", 0)
    assert bill.payable_until is not None
    assert bill.payable_until > timezone.now() + timedelta(days=13)
    house.client().v1.invoices.pay(bill.invoice, {"paid_out_of_band": True})
    bill = drive(bill)
    assert (bill.state, owed(bill.payer)) == ("paid", 0)


def pass_days(bill: Bill, days: int) -> None:
    """So much earlier was everything that its waits are counted from."""
    bill.refresh_from_db()
    for name in ("tried_at", "payable_until"):
        if at := getattr(bill, name):
            Bill.objects.filter(pk=bill.pk).update(**{name: at - timedelta(days=days)})


def since(bill: Bill) -> datetime | None:
    """Since when it is overdue."""
    bill.refresh_from_db()
    return bill.overdue_at


def test_a_refused_card_is_tried_again_then_the_bill_is_overdue(house: StripeAtWork) -> None:
    bill = drive(billed(house, REFUSED))
    assert (bill.state, bill.tries, bill.problem) == ("open", 1, "generic_decline")
    assert (bill.invoice != "", since(bill)) == (True, None)
    for tries, days in ((2, 3), (3, 5), (4, 7)):
        assert drive(bill).tries == tries - 1
        pass_days(bill, days)
        assert drive(bill).tries == tries
    assert len(mail.outbox) == 4
    assert bill.page in mail.outbox[0].body
    assert "declined" in mail.outbox[0].body
    assert "charged again on" in mail.outbox[2].body
    assert "overdue" in mail.outbox[3].subject
    assert "declined" in mail.outbox[3].body
    assert since(bill) is not None
    assert "overdue" in str(sentence_of(Bill.objects.get()))
    keep_card(house, Customer.objects.get(), REFUSED)
    assert drive(bill).tries == 1
    assert "charged again on" in mail.outbox[4].body
    assert since(bill) is not None
    keep_card(house, Customer.objects.get(), "pm_card_visa")
    bill = drive(bill)
    assert (bill.state, bill.problem, since(bill)) == ("paid", "", None)
    assert owed(bill.payer) == 0


def test_a_bill_that_nobody_pays_by_hand_is_overdue(house: StripeAtWork) -> None:
    bill = drive(billed(house))
    pass_days(bill, 15)
    house.order("/faults", {"name": "server-error", "cloud": "stripe", "times": None})
    assert drive(bill).overdue_at is None
    requests.delete(f"{house.control}/faults", timeout=30)
    assert drive(bill).overdue_at is not None
    assert Customer.objects.get().due_at is not None
    assert [message.subject for message in mail.outbox] == [
        "The invoice for November 2026 is overdue"
    ]


def test_a_bank_that_asks_leaves_a_page_to_pay_on(house: StripeAtWork) -> None:
    bill = drive(billed(house, "pm_card_authenticationRequired"))
    assert (bill.state, bill.problem) == ("open", "authentication_required")
    assert bill.page in mail.outbox[0].body
    assert "confirm this payment" in mail.outbox[0].body
    assert fill_in(bill.page, GOOD).ok
    bill = drive(bill)
    assert (bill.state, bill.problem, owed(bill.payer)) == ("paid", "", 0)


def test_who_reads_french_is_billed_and_written_to_in_french(house: StripeAtWork) -> None:
    bill = billed(house, REFUSED)
    User.objects.update(language="fr")
    bill = drive(bill)
    (invoice,) = house.client().v1.invoices.list().data
    assert invoice.description == "novembre 2026"
    (line, _) = house.client().v1.invoices.line_items.list(bill.invoice).data
    assert line.description == "Ada (ada) : machine 4,12\N{NO-BREAK SPACE}EUR"
    assert mail.outbox[0].subject == "La facture de novembre 2026 n'a pas été payée"
    assert "La carte sera débitée de nouveau le" in mail.outbox[0].body


def test_what_is_marked_uncollectible_stays_owed_and_can_be_paid(house: StripeAtWork) -> None:
    bill = drive(billed(house))
    house.client().v1.invoices.mark_uncollectible(bill.invoice)
    bill = drive(bill)
    assert (bill.state, owed(bill.payer)) == ("open", 10_000_000)
    keep_card(house, Customer.objects.get(), "pm_card_visa")
    bill = drive(bill)
    assert (bill.state, owed(bill.payer)) == ("paid", 0)


def test_a_frozen_payer_is_not_charged(house: StripeAtWork) -> None:
    bill = billed(house, "pm_card_visa")
    Customer.objects.update(frozen_at=timezone.now())
    bill = drive(bill)
    assert (bill.state, bill.tries, bill.overdue_at) == ("open", 0, None)
    assert house.client().v1.charges.list().data == []


def test_a_voided_invoice_is_forgiven(house: StripeAtWork) -> None:
    bill = drive(billed(house))
    house.client().v1.invoices.void_invoice(bill.invoice)
    bill = drive(bill)
    assert (bill.state, owed(bill.payer)) == ("void", 0)
    assert LedgerAccount.objects.get(book=Book.CORRECTED).balance_micros == 10_000_000


def test_what_stripe_refuses_is_told_and_tried_again(house: StripeAtWork) -> None:
    bill = billed(house, "pm_card_visa")
    client = house.client()
    client.v1.customers.update(Customer.objects.get().reference, {"address": ""})
    bill = drive(bill)
    assert bill.state == "closed"
    assert "location" in bill.trouble
    client.v1.customers.update(Customer.objects.get().reference, {"address": {"country": "DE"}})
    bill = drive(bill)
    assert (bill.state, bill.trouble, bill.tax_cents) == ("paid", "", 190)
    assert lines_there(house, bill) == [("Ada", 412), ("Bob", 588)]


def test_an_operator_who_charges_no_vat_has_none_on_it(
    house: StripeAtWork, settings: Settings
) -> None:
    settings.VAT_REGIME = "none"
    assert drive(billed(house, "pm_card_visa")).paid_cents == 1000


@pytest.fixture
def operator() -> User:
    """Who runs the farm."""
    return User.objects.create_user(
        username="op@example.org", email="op@example.org", is_superuser=True
    )


def ask_credit(operator: User, bill: Bill, cents: int = 600) -> BillCredit:
    """Six euros of a bill back."""
    return credit_bill(
        actor=operator, door=Door.CLI, bill=bill, cents=cents, reason="It was down for a day"
    )


def test_a_part_of_a_paid_bill_goes_back_to_its_card(house: StripeAtWork, operator: User) -> None:
    bill = drive(billed(house, "pm_card_visa"))
    lost: JsonObject = {
        "name": "reset-after",
        "cloud": "stripe",
        "match": ["credit_notes"],
        "times": 4,
    }
    house.order("/faults", lost)
    asked = drive_credit(ask_credit(operator, bill))
    assert (asked.state, asked.trouble != "") == ("asked", True)
    requests.delete(f"{house.control}/faults", timeout=30)
    house.pass_time(timedelta(hours=25))
    done = drive_credit(asked)
    assert (done.state, done.net_cents, bool(done.refund)) == ("done", 500, True)
    (refund,) = house.client().v1.refunds.list().data
    assert (refund.amount, refund.id) == (600, done.refund)
    assert owed(bill.payer) == 0
    assert balance_of(bill.payer, timezone.now()).left == 0
    books = {row.book: row.balance_micros for row in LedgerAccount.objects.filter(payer=None)}
    assert (books[Book.HOUSE], books[Book.VAT]) == (6_000_000, -1_000_000)
    assert books[Book.CORRECTED] == 5_000_000
    assert [paper.sort for paper in Paper.objects.order_by("pk")] == ["invoice", "credit"]
    assert left_of(bill) == 600
    assert not unequal()
    with pytest.raises(Refused) as refused:
        ask_credit(operator, bill, 601)
    assert refused.value.code == "too_much"


def test_a_credit_of_an_unpaid_bill_is_not_charged(house: StripeAtWork, operator: User) -> None:
    bill = drive(billed(house))
    drive_credit(ask_credit(operator, bill))
    keep_card(house, Customer.objects.get(), "pm_card_visa")
    bill = drive(bill)
    assert (bill.state, bill.paid_cents, owed(bill.payer)) == ("paid", 600, 0)
    assert house.client().v1.refunds.list().data == []


def test_what_was_paid_by_other_means_is_refused_and_told(
    house: StripeAtWork, operator: User
) -> None:
    bill = drive(billed(house))
    house.client().v1.invoices.pay(bill.invoice, {"paid_out_of_band": True})
    asked = drive_credit(ask_credit(operator, drive(bill)))
    assert (asked.state, owed(bill.payer), left_of(bill)) == ("refused", 0, 1200)
    assert "not paid with a card" in trouble(timezone.now())
    assert trouble(timezone.now() + timedelta(days=4)) == ""


def test_only_who_runs_the_farm_credits_and_says_why(house: StripeAtWork, operator: User) -> None:
    bill = drive(billed(house))
    stranger = User.objects.create_user(username="s@example.org", email="s@example.org")
    with pytest.raises(PermissionDenied):
        ask_credit(stranger, bill)
    with pytest.raises(Refused):
        credit_bill(actor=operator, door=Door.CLI, bill=bill, cents=1, reason=" ")
    assert not BillCredit.objects.exists()


WORKER = """
import sys, django
django.setup()
from django.utils import timezone
from farm.agents.reconciler.driving import BILLS
sys.stdin.readline()
while jobs := list(BILLS.jobs(timezone.now())):
    for job in jobs:
        job.work(lambda claim: None)
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("call", ["invoices", "invoiceitems", "finalize", "pay"])
def test_a_worker_killed_after_any_call_leaves_one_invoice(
    house: StripeAtWork, tmp_path: Path, call: str
) -> None:
    bill = billed(house, "pm_card_visa")
    Bill.objects.update(due_at=timezone.now())
    worker = _worker(house, tmp_path)
    killed: JsonObject = {"match": ["POST", call], "when": "after", "signal": worker.pid}
    house.order("/faults", killed)
    worker.communicate(b"\n", timeout=120)
    assert worker.returncode == -signal.SIGKILL
    Bill.objects.update(lease_token="", lease_until=None)
    paid = drive(bill)
    assert (paid.state, owed(paid.payer)) == ("paid", 0)
    assert lines_there(house, paid) == [("Ada", 412), ("Bob", 588)]
    assert len(house.client().v1.charges.list().data) == 1


def _worker(house: StripeAtWork, folder: Path) -> subprocess.Popen[bytes]:
    """A process of its own that waits for a line, then drives bills on this test's database."""
    name, data = str(connection.settings_dict["NAME"]), folder / "data"
    data.mkdir(mode=0o700)
    if connection.vendor == "sqlite":
        (data / "farm.sqlite3").symlink_to(name)
    more = {
        "DJANGO_SETTINGS_MODULE": "farm.settings",
        "FARM_DATA": str(data),
        "DATABASE_URL": "" if connection.vendor == "sqlite" else _postgres(name),
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "STRIPE_API_BASE": house.endpoint,
    }
    return subprocess.Popen(
        [sys.executable, "-c", WORKER], env={**os.environ, **more}, stdin=subprocess.PIPE
    )


def _postgres(name: str) -> str:
    return f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"
