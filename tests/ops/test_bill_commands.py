"""`farm billing preview|close|bills|replay|refund|correct`: only by who runs the farm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings
from typer.testing import CliRunner

from farm.accounts.models import AuditEntry, User
from farm.billing.balances import balance_of
from farm.billing.bill_rows import Bill, BillCredit
from farm.billing.bills import close_month
from farm.billing.customer_rows import Customer
from farm.billing.ledger import unequal
from farm.billing.ledger_rows import LedgerAccount, Transfer
from farm.billing.models import Payer
from farm.billing.statements import month_before
from farm.billing.stripe_rows import StripeEvent
from farm.ops.billing import app
from tests.farm.billing.bill_scenes import (
    NOVEMBER,
    at_stripe,
    closing,
    drive,
    drive_credit,
    trusted,
    used,
)
from tests.ops.test_agents_command import Said
from tests.sandbox.stripe.stripe_at_work import (
    KEY,
    WEBHOOK_SECRET,
    StripeAtWork,
    stripe_at_work,
)

pytestmark = pytest.mark.django_db
OPERATOR = "op@example.org"


@pytest.fixture(autouse=True)
def people() -> None:
    """Who runs the farm."""
    User.objects.create_user(username=OPERATOR, email=OPERATOR, is_superuser=True)


@pytest.fixture
def house(tmp_path: Path, settings: Settings) -> Iterator[StripeAtWork]:
    """A payment house to which the settings lead."""
    with stripe_at_work(tmp_path / "stripe") as started:
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = KEY, WEBHOOK_SECRET
        settings.STRIPE_API_BASE = started.endpoint
        yield started


def say(*words: str, by: str = OPERATOR) -> Said:
    done = CliRunner().invoke(app, list(words), env={"FARM_USER": by, "COLUMNS": "200"})
    return Said(done.exit_code, done.stdout, done.stderr)


def last_month() -> date:
    """The last one that is over."""
    return month_before(timezone.now().date().replace(day=1))


def agency() -> Payer:
    """A trusted payer whose agent cost 4.12 EUR in the month that is over."""
    payer = trusted()
    used(payer, "ada", 4_123_400, last_month())
    return payer


def test_a_preview_writes_nothing_and_a_close_makes_what_it_said() -> None:
    agency()
    (shown,) = json.loads(say("preview", "--json").out)
    assert (shown["net_cents"], shown["carried_micros"]) == (412, 3_400)
    assert [item["name"] for item in shown["items"]] == ["Ada"]
    assert not Bill.objects.exists()
    assert "4.12 EUR before VAT" in say("preview").out.replace("\N{NO-BREAK SPACE}", " ")
    (made,) = json.loads(say("close", "--json").out)
    assert (made["net_cents"], made["state"]) == (412, "closed")
    assert json.loads(say("close", "--json").out) == []
    assert json.loads(say("preview", "--json").out) == []
    (listed,) = json.loads(say("bills", "--json").out)
    assert listed["uid"] == made["uid"] == Bill.objects.get().uid
    assert "the invoice is being written" in say("bills").out
    assert AuditEntry.objects.filter(verb="close month").count() == 2


def test_a_month_that_runs_is_not_closed() -> None:
    agency()
    said = say("close", "--month", f"{timezone.now():%Y-%m}", "--json")
    assert (said.code, json.loads(said.out)["code"]) == (1, "not_over")
    assert json.loads(say("close", "--month", "soon", "--json").out)["code"] == "month"


@pytest.mark.parametrize(
    "words",
    [
        ("preview",),
        ("close",),
        ("bills",),
        ("replay",),
        ("refund", "nothing"),
        ("correct", "Agency", "1", "--reason", "x", "--yes"),
    ],
)
def test_who_does_not_run_the_farm_is_refused(words: tuple[str, ...]) -> None:
    agency()
    said = say(*words, "--json", by="agency@example.org")
    assert json.loads(said.out)["code"] == "denied"
    assert not Bill.objects.exists()
    assert not Transfer.objects.exists()


def test_a_correction_is_on_the_ledger_with_its_reason() -> None:
    payer = agency()
    asked = say("correct", "agency", "1.50", "--reason", "It was slow", "--json")
    assert json.loads(asked.out)["code"] == "not_confirmed"
    words = ("--reason", "It was slow", "--yes", "--json")
    assert json.loads(say("correct", "agency", "1.50", *words).out)["micros"] == -1_500_000
    assert say("correct", payer.uid, "0,25", "--charge", *words).code == 0
    assert LedgerAccount.objects.get(payer=payer).balance_micros == -1_250_000
    assert set(Transfer.objects.values_list("reason", flat=True)) == {"It was slow"}
    assert AuditEntry.objects.filter(verb="correct", actor__email=OPERATOR).count() == 2
    assert not unequal()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("correct", "nobody", "1", "--reason", "x", "--yes"), "unknown"),
        (("correct", "Agency", "much", "--reason", "x", "--yes"), "amount"),
        (("correct", "Agency", "1", "--yes"), "reason"),
        (("refund", "nothing", "1", "--reason", "x", "--yes"), "unknown"),
        (("replay", "--since", "soon"), "since"),
        (("replay",), "no_payments"),
    ],
)
def test_what_is_wrong_is_refused_in_a_sentence(words: tuple[str, ...], code: str) -> None:
    agency()
    said = say(*words, "--json")
    assert (said.code, json.loads(said.out)["code"]) == (1, code)
    assert not Transfer.objects.exists()


def paid(house: StripeAtWork) -> Bill:
    """A bill of ten euros net that its card has paid."""
    payer = trusted()
    at_stripe(house, payer, "pm_card_visa")
    used(payer, "ada", 10_000_000, NOVEMBER)
    (bill,) = close_month(NOVEMBER, closing(NOVEMBER))
    return drive(bill)


def test_a_part_of_a_bill_is_given_back(house: StripeAtWork) -> None:
    bill = paid(house)
    words = ("refund", bill.uid, "6", "--reason", "Down for a day", "--json")
    assert json.loads(say(*words).out)["code"] == "not_confirmed"
    assert json.loads(say(*words, "--yes").out)["cents"] == 600
    assert drive_credit(BillCredit.objects.get()).state == "done"
    assert json.loads(say("refund", bill.uid, "--reason", "All", "--yes", "--json").out) == {
        "uid": BillCredit.objects.get(reason="All").uid,
        "cents": 600,
        "state": "asked",
        "reason": "All",
    }
    assert json.loads(say(*words, "--yes").out)["code"] == "too_much"


def test_what_stripe_told_is_learnt_again_and_counts_once(house: StripeAtWork) -> None:
    bill = paid(house)
    before = Transfer.objects.count()
    StripeEvent.objects.all().delete()
    for _ in range(2):
        rows = json.loads(say("replay", "--json").out)
        assert {"invoice", "payment_intent"} <= {row["kind"] for row in rows}
        assert all(row["learnt"] for row in rows)
    (one,) = json.loads(say("replay", bill.invoice, "--json").out)
    assert (one["kind"], one["state"]) == ("invoice", "paid")
    event = StripeEvent.objects.filter(kind="invoice").first()
    assert event is not None
    assert json.loads(say("replay", event.uid, "--json").out)[0]["learnt"]
    assert json.loads(say("replay", "in_1S99", "--json").out)["code"] == "unknown"
    sources = Transfer.objects.exclude(source="").values_list("source", flat=True)
    assert len(sources) == len(set(sources)) == 3
    assert Transfer.objects.count() == before + 1
    assert balance_of(bill.payer, closing(NOVEMBER)).left == 0
    assert Customer.objects.count() == 1


def test_a_bill_that_was_paid_unheard_of_is_learnt_by_its_id(house: StripeAtWork) -> None:
    payer = trusted()
    at_stripe(house, payer)
    used(payer, "ada", 10_000_000, NOVEMBER)
    (bill,) = close_month(NOVEMBER, closing(NOVEMBER))
    bill = drive(bill)
    house.client().v1.invoices.pay(bill.invoice, {"paid_out_of_band": True})
    say("replay", bill.invoice)
    bill.refresh_from_db()
    assert bill.state == "paid"
