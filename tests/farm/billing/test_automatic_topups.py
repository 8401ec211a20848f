"""The kept card charged while nobody looks: once, told if refused, asked again when it may be."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from pytest_django.fixtures import Settings

from farm.accounts.models import Door, User
from farm.accounts.refusals import Refused
from farm.billing.automatic import set_automatic_top_up, start_automatic_top_up
from farm.billing.customer_rows import Customer, Paper, TopUp
from farm.billing.ledger import unequal
from farm.billing.models import Payer
from tests.farm.billing.topup_scenes import (
    books_agree,
    charged,
    drive,
    fetch,
    left,
    posted,
    wallet,
    with_card,
    worker_of,
)
from tests.farm.web.scenes import People
from tests.sandbox.stripe.acting import ASKS_ALWAYS, answer_bank
from tests.sandbox.stripe.stripe_at_work import (
    KEY,
    WEBHOOK_SECRET,
    StripeAtWork,
    stripe_at_work,
)

pytestmark = pytest.mark.django_db
REFUSES, ASKS = "pm_card_chargeCustomerFail", "pm_card_authenticationRequired"
DAY = timedelta(days=1, minutes=1)


@pytest.fixture
def house(tmp_path: Path, settings: Settings) -> Iterator[StripeAtWork]:
    """A payment house to which the settings lead."""
    with stripe_at_work(tmp_path / "stripe") as started:
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = KEY, WEBHOOK_SECRET
        settings.STRIPE_API_BASE = started.endpoint
        yield started


@pytest.fixture
def payer(house: StripeAtWork, people: People) -> Payer:
    """Alice's wallet."""
    return wallet(people.account)


def charges(house: StripeAtWork) -> int:
    """How often money came."""
    return sum(one.paid for one in house.client().v1.charges.list().data)


def test_a_card_is_charged_by_an_invoice_that_is_the_only_one(
    house: StripeAtWork, payer: Payer
) -> None:
    top_up = charged(with_card(house, payer))
    assert (top_up.state, top_up.tax_cents, left(payer)) == ("paid", 400, 2000)
    (paper,) = Paper.objects.all()
    assert (paper.reference, paper.status, paper.total_cents) == (top_up.invoice, "paid", 2400)
    money = posted()
    assert money[f"fee:{top_up.payment}"] == -61
    fetch()
    assert (drive(top_up).state, posted(), unequal()) == ("paid", money, [])
    assert (charges(house), books_agree(house), mail.outbox) == (1, True, [])


def test_one_is_under_way_at_a_time_and_none_that_nobody_wants(
    house: StripeAtWork, payer: Payer
) -> None:
    customer, now = with_card(house, payer), timezone.now()
    first = start_automatic_top_up(customer, now)
    assert start_automatic_top_up(customer, now) == first
    assert TopUp.objects.count() == 1
    assert first is not None
    drive(first)
    assert start_automatic_top_up(customer, now) != first
    TopUp.objects.filter(state="asked").delete()
    for change in ({"automatic_cents": 0}, {"card": ""}, {"frozen_at": now}):
        Customer.objects.update(automatic_cents=2000, card="pm_1", frozen_at=None)
        Customer.objects.update(**change)
        assert start_automatic_top_up(customer, now) is None


def test_a_bank_that_says_no_is_told_of_and_not_asked_again_for_a_day(
    house: StripeAtWork, people: People, payer: Payer
) -> None:
    User.objects.filter(pk=people.alice.pk).update(language="fr")
    customer, now = with_card(house, payer, REFUSES), timezone.now()
    top_up = charged(customer)
    assert (top_up.state, top_up.problem, posted()) == ("failed", "generic_decline", {})
    assert [one.status for one in house.client().v1.invoices.list().data] == ["void"]
    (letter,) = mail.outbox
    assert letter.to == ["alice@example.org"]
    assert "Votre banque a refusé" in letter.body
    assert start_automatic_top_up(customer, now) is None
    assert start_automatic_top_up(customer, now + DAY) is not None
    TopUp.objects.filter(state="asked").delete()
    another = charged(with_card(house, payer))
    assert (another.state, left(payer), charges(house)) == ("paid", 2000, 1)
    assert len(mail.outbox) == 1


def test_a_bank_that_asks_is_answered_on_the_invoice(house: StripeAtWork, payer: Payer) -> None:
    customer = with_card(house, payer, ASKS)
    top_up = charged(customer)
    assert (top_up.state, top_up.problem) == ("open", "authentication_required")
    (letter,) = mail.outbox
    assert top_up.url in letter.body
    assert start_automatic_top_up(customer, timezone.now()) == top_up
    drive(top_up)
    assert len(mail.outbox) == 1
    question = requests.post(top_up.url, data={"number": ASKS_ALWAYS}, timeout=30)
    answer_bank(question, approve=True)
    fetch()
    top_up.refresh_from_db()
    assert (top_up.state, top_up.problem, left(payer)) == ("paid", "", 2000)
    assert (drive(top_up).state, books_agree(house), charges(house)) == ("paid", True, 1)


@pytest.mark.parametrize("why", ["nobody answers", "the card is another", "nobody wants it"])
def test_what_nobody_answers_or_wants_is_voided(
    house: StripeAtWork, payer: Payer, why: str
) -> None:
    top_up = charged(with_card(house, payer, ASKS))
    if why == "nobody answers":
        TopUp.objects.update(asked_at=timezone.now() - timedelta(days=3))
    elif why == "the card is another":
        with_card(house, payer)
    else:
        Customer.objects.update(automatic_cents=0)
    assert (drive(top_up).state, charges(house)) == ("failed", 0)
    assert [one.status for one in house.client().v1.invoices.list().data] == ["void"]


def test_whoever_pays_while_it_is_given_up_has_paid(house: StripeAtWork, payer: Payer) -> None:
    top_up = charged(with_card(house, payer, ASKS))
    question = requests.post(top_up.url, data={"number": ASKS_ALWAYS}, timeout=30)
    answer_bank(question, approve=True)
    Customer.objects.update(automatic_cents=0)
    assert (drive(top_up).state, left(payer), books_agree(house)) == ("paid", 2000, True)


def test_somebody_whose_country_nobody_knows_is_asked_to_pay_by_hand(
    house: StripeAtWork, payer: Payer
) -> None:
    customer = with_card(house, payer)
    reference = house.client().v1.customers.create({"email": "n@example.org"}).id
    kept = house.client().v1.payment_methods.attach("pm_card_visa", {"customer": reference})
    Customer.objects.update(reference=reference, card=kept.id)
    customer.refresh_from_db()
    assert (charged(customer).state, charges(house)) == ("failed", 0)
    assert "country" in mail.outbox[0].body


@pytest.mark.parametrize("call", ["/customers", "/invoices", "invoiceitems", "finalize", "/pay"])
@pytest.mark.parametrize("a_day_later", [False, True])
def test_an_answer_that_is_lost_charges_nobody_twice(
    house: StripeAtWork, payer: Payer, call: str, *, a_day_later: bool
) -> None:
    customer = with_card(house, payer)
    lost = {"name": "reset-after", "cloud": "stripe", "match": ["POST", call], "times": None}
    house.order("/faults", lost)
    top_up = charged(customer)
    requests.delete(f"{house.control}/faults", timeout=30)
    if a_day_later:
        house.pass_time(timedelta(days=2))
        TopUp.objects.update(asked_at=timezone.now() - timedelta(days=2))
    assert (drive(top_up).state, left(payer), charges(house)) == ("paid", 2000, 1)
    assert len(house.client().v1.invoices.list().data) == 1
    fetch()
    assert (books_agree(house), TopUp.objects.get().trouble) == (True, "")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("call", ["finalize", "/pay"])
def test_a_worker_killed_after_a_call_charges_nobody_twice(
    house: StripeAtWork, payer: Payer, tmp_path: Path, call: str
) -> None:
    top_up = start_automatic_top_up(with_card(house, payer), timezone.now())
    assert top_up is not None
    worker = worker_of("TopUp", house, tmp_path)
    house.order("/faults", {"match": ["POST", call], "when": "after", "signal": worker.pid})
    worker.communicate(b"\n", timeout=120)
    assert worker.returncode == -signal.SIGKILL
    TopUp.objects.update(lease_token="", lease_until=None)
    assert (drive(top_up).state, left(payer), charges(house)) == ("paid", 2000, 1)
    assert (len(house.client().v1.invoices.list().data), books_agree(house)) == (1, True)


def test_only_who_answers_for_the_money_has_a_card_charged(
    house: StripeAtWork, people: People, payer: Payer
) -> None:
    def wish(actor: User, cents: int) -> None:
        set_automatic_top_up(actor=actor, door=Door.WEB, payer=payer, cents=cents)

    for stranger in (people.bob, people.charlie):
        with pytest.raises(PermissionDenied):
            wish(stranger, 2000)
    with pytest.raises(Refused) as refused:
        wish(people.alice, 2000)
    assert refused.value.code == "no_card"
    with_card(house, payer)
    with pytest.raises(Refused):
        wish(people.alice, 100)
    wish(people.alice, 3000)
    assert Customer.objects.get().automatic_cents == 3000
    wish(people.alice, 0)
    assert Customer.objects.get().automatic_cents == 0
