"""Money paid in on the hosted page: learnt once, by whichever way and in whatever order."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from farm.accounts.models import AuditEntry, new_uid
from farm.accounts.refusals import Refused
from farm.billing.customer_rows import Customer, Paper, TopUp
from farm.billing.ledger import unequal
from farm.billing.models import Payer
from farm.billing.stripe_rows import StripeEvent
from farm.billing.topups import look_at
from tests.farm.billing.test_stripe_events import all_arrived, eventually
from tests.farm.billing.topup_scenes import (
    asked,
    books_agree,
    drive,
    fetch,
    left,
    paid,
    posted,
    understand,
    wallet,
)
from tests.farm.web.scenes import People
from tests.sandbox.stripe.acting import ASKS_ONCE, DECLINED, GOOD, answer_bank, fill_in
from tests.sandbox.stripe.stripe_at_work import (
    KEY,
    WEBHOOK_SECRET,
    StripeAtWork,
    stripe_at_work,
)

pytestmark = pytest.mark.django_db


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


def test_who_comes_back_from_the_page_has_paid(
    house: StripeAtWork, people: People, payer: Payer
) -> None:
    top_up = look_at(paid(people.alice, payer))
    assert (top_up.state, top_up.cents, top_up.tax_cents) == ("paid", 2000, 400)
    fee = f"fee:{top_up.payment}"
    money = {f"topup:{top_up.uid}:net": 2000, f"topup:{top_up.uid}:tax": 400, fee: -61}
    assert posted() == money
    assert (left(payer), books_agree(house)) == (2000, True)
    customer, paper = Customer.objects.get(), Paper.objects.get()
    assert (customer.card_name, customer.first_paid_at is not None) == ("Visa 4242", True)
    assert (paper.status, paper.net_cents, paper.tax_cents) == ("paid", 2000, 400)
    assert requests.get(paper.pdf, timeout=30).content.startswith(b"%PDF")
    fetch()
    look_at(top_up)
    assert (posted(), Paper.objects.count(), unequal()) == (money, 1, [])
    assert not StripeEvent.objects.filter(worked_at=None).exists()
    assert AuditEntry.objects.filter(verb="ask top-up", subject=top_up.uid).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_webhook_may_come_before_its_payer(
    house: StripeAtWork, people: People, payer: Payer, live_server: LiveServer
) -> None:
    house.order("/stripe/webhooks", {"url": f"{live_server.url}/stripe/webhook"})
    house.order("/faults", {"name": "webhook-twice", "match": ["invoice.paid"]})
    top_up = paid(people.alice, payer)
    eventually(lambda: StripeEvent.objects.filter(type="invoice.paid").exists())
    house.pass_time(timedelta(seconds=30))
    eventually(lambda: all_arrived(house))
    understand()
    assert (left(payer), TopUp.objects.get().state) == (2000, "paid")
    assert look_at(top_up).state == "paid"
    assert (left(payer), books_agree(house)) == (2000, True)


def test_what_nobody_told_is_fetched(house: StripeAtWork, people: People, payer: Payer) -> None:
    paid(people.alice, payer)
    assert left(payer) == 0
    fetch()
    assert (left(payer), TopUp.objects.get().state, books_agree(house)) == (2000, "paid", True)


def test_any_order_ends_the_same(house: StripeAtWork, people: People, payer: Payer) -> None:
    """Each event is understood by itself, in each order, and all of them once more."""
    top_up = paid(people.alice, payer)
    fetch(now=False)
    events = list(StripeEvent.objects.values_list("pk", flat=True))
    assert len(events) == 5
    for order in itertools.islice(itertools.permutations(events), 0, None, 29):
        for pk in (*order, *order[:2]):
            StripeEvent.objects.filter(pk=pk).update(worked_at=None)
            understand()
        assert (left(payer), len(posted()), books_agree(house)) == (2000, 3, True)
        told = TopUp.objects.values_list("state", "payment", "invoice").get()
        assert told[0] == "paid"
        assert all(told)
        assert Customer.objects.get().card_name == "Visa 4242"
    assert top_up.uid == TopUp.objects.get().uid


def test_a_card_that_is_declined_pays_nothing_and_another_one_does(
    house: StripeAtWork, people: People, payer: Payer
) -> None:
    top_up = asked(people.alice, payer)
    assert fill_in(top_up.url, DECLINED).status_code == 422
    assert look_at(top_up).state == "open"
    assert posted() == {}
    fill_in(top_up.url, GOOD)
    fetch()
    assert (look_at(top_up).state, left(payer), books_agree(house)) == ("paid", 2000, True)


@pytest.mark.parametrize(("approve", "state", "cents"), [(True, "paid", 2000), (False, "open", 0)])
def test_a_bank_that_asks_is_answered_on_the_page(
    house: StripeAtWork, people: People, payer: Payer, *, approve: bool, state: str, cents: int
) -> None:
    top_up = asked(people.alice, payer)
    question = fill_in(top_up.url, ASKS_ONCE)
    assert look_at(top_up).state == "open"
    answer_bank(question, approve=approve)
    assert (look_at(top_up).state, left(payer)) == (state, cents)


def test_a_page_that_nobody_filled_in_is_over_after_a_day(
    house: StripeAtWork, people: People, payer: Payer
) -> None:
    top_up = asked(people.alice, payer)
    assert drive(top_up).state == "open"
    house.pass_time(timedelta(hours=25))
    TopUp.objects.update(asked_at=timezone.now() - timedelta(hours=25))
    assert drive(top_up).state == "over"
    assert (posted(), TopUp.objects.get().due_at) == ({}, None)


def test_a_day_old_page_that_was_paid_is_found_without_any_word(
    house: StripeAtWork, people: People, payer: Payer
) -> None:
    top_up = paid(people.alice, payer)
    TopUp.objects.update(asked_at=timezone.now() - timedelta(hours=25))
    assert (drive(top_up).state, left(payer), books_agree(house)) == ("paid", 2000, True)


def test_one_form_opens_one_page(house: StripeAtWork, people: People, payer: Payer) -> None:
    key = new_uid()
    lost = {"name": "reset-after", "cloud": "stripe", "match": ["sessions"], "times": None}
    house.order("/faults", lost)
    with pytest.raises(Refused) as refused:
        asked(people.alice, payer, key=key)
    assert (refused.value.code, TopUp.objects.get().state) == ("stripe_away", "asked")
    requests.delete(f"{house.control}/faults", timeout=30)
    first, again = asked(people.alice, payer, key=key), asked(people.alice, payer, key=key)
    assert (first.url, first.state) == (again.url, "open")
    assert len(house.client().v1.checkout.sessions.list().data) == 1
    for other in (2500, 2000):
        with pytest.raises(Refused):
            asked(people.alice, payer, other, key=key if other == 2500 else "nonsense")


def test_only_who_answers_for_the_money_pays_in_and_within_bounds(
    house: StripeAtWork, people: People, payer: Payer, settings: Settings
) -> None:
    for stranger in (people.bob, people.charlie):
        with pytest.raises(PermissionDenied):
            asked(stranger, payer)
    for cents in (0, 499, 100_001):
        with pytest.raises(Refused) as refused:
            asked(people.alice, payer, cents)
        assert "5.00" in str(refused.value.sentence)
    Payer.objects.update(kind=Payer.Kind.INTERNAL)
    payer.refresh_from_db()
    with pytest.raises(Refused):
        asked(people.alice, payer)
    settings.STRIPE_SECRET_KEY = ""
    with pytest.raises(Refused):
        asked(people.alice, payer)
    assert not TopUp.objects.exists()


def test_a_company_abroad_declares_the_vat_itself(
    house: StripeAtWork, people: People, payer: Payer
) -> None:
    top_up = paid(people.alice, payer, country="DE", vat_id="DE000000000")
    fetch()
    assert (look_at(top_up).tax_cents, left(payer), books_agree(house)) == (0, 2000, True)
    customer = Customer.objects.get()
    assert (customer.country, customer.vat_id, customer.vat_status) == (
        "DE",
        "DE000000000",
        "verified",
    )


def test_an_operator_may_charge_no_vat(
    house: StripeAtWork, people: People, payer: Payer, settings: Settings
) -> None:
    settings.VAT_REGIME = "none"
    top_up = look_at(paid(people.alice, payer))
    assert (top_up.state, top_up.tax_cents, left(payer)) == ("paid", 0, 2000)
    assert books_agree(house)
