"""Money that goes back: refunds with their VAT, disputes that freeze, and books that agree."""

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

from farm.accounts.models import Door, User
from farm.accounts.refusals import Refused
from farm.accounts.services import account_of
from farm.billing.customer_rows import Customer, Dispute, Paper, Refund, TopUp
from farm.billing.freezing import unfreeze
from farm.billing.ledger import unequal
from farm.billing.ledger_rows import Transfer
from farm.billing.models import Payer
from farm.billing.refunds import left_of, refund_top_up
from farm.billing.stripe_events import trouble
from farm.billing.stripe_rows import StripeEvent
from farm.billing.topups import look_at
from tests.farm.billing.topup_scenes import (
    books_agree,
    charged,
    drive_refunds,
    fetch,
    left,
    paid,
    posted,
    understand,
    wallet,
    with_card,
)
from tests.farm.billing.wallets import EURO, use
from tests.farm.web.scenes import People
from tests.sandbox.stripe.acting import with_card as stripe_with_card
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


@pytest.fixture
def operator(db: None) -> User:
    """Who runs the farm."""
    return User.objects.create_superuser(username="op", email="op@example.org")


def refunded(operator: User, top_up: TopUp, cents: int) -> Refund:
    """So much asked back, for a reason."""
    return refund_top_up(
        actor=operator, door=Door.CLI, top_up=top_up, cents=cents, reason="Too much"
    )


def disputed(house: StripeAtWork, top_up: TopUp) -> str:
    """The bank calls it into question; its id."""
    return str(house.order("/stripe/disputes", {"payment_intent": top_up.payment})["id"])


def customer() -> Customer:
    """The payer's row."""
    return Customer.objects.get()


def test_a_refund_goes_back_with_its_vat(
    house: StripeAtWork, people: People, payer: Payer, operator: User
) -> None:
    top_up = look_at(paid(people.alice, payer))
    asked = refunded(operator, top_up, 600)
    drive_refunds()
    asked.refresh_from_db()
    assert (asked.state, left(payer), left_of(top_up)) == ("done", 1500, 1800)
    source = f"refund:{asked.reference}"
    assert (posted()[f"{source}:net"], posted()[f"{source}:tax"]) == (-500, -100)
    assert Transfer.objects.get(source=f"{source}:net").reason == "Too much"
    note = Paper.objects.get(sort=Paper.Sort.CREDIT)
    assert (note.net_cents, note.tax_cents, note.total_cents) == (500, 100, 600)
    fetch()
    assert (left(payer), books_agree(house), unequal()) == (1500, True, [])
    assert len(house.client().v1.refunds.list().data) == 1


def test_a_refund_whose_answer_is_lost_is_made_once(
    house: StripeAtWork, people: People, payer: Payer, operator: User
) -> None:
    top_up = look_at(paid(people.alice, payer))
    refunded(operator, top_up, 2400)
    lost = {"name": "reset-after", "cloud": "stripe", "match": ["POST", "credit"], "times": None}
    house.order("/faults", lost)
    drive_refunds()
    requests.delete(f"{house.control}/faults", timeout=30)
    assert (Refund.objects.get().state, Refund.objects.get().trouble != "") == ("asked", True)
    with pytest.raises(Refused):
        refunded(operator, top_up, 100)
    fetch()
    assert left(payer) == 0
    house.pass_time(timedelta(days=2))
    Refund.objects.update(due_at=timezone.now())
    drive_refunds()
    assert (Refund.objects.get().state, left(payer), books_agree(house)) == ("done", 0, True)
    assert len(house.client().v1.refunds.list().data) == 1


def test_only_who_runs_the_farm_gives_back_and_only_what_is_there(
    house: StripeAtWork, people: People, payer: Payer, operator: User
) -> None:
    top_up = look_at(paid(people.alice, payer))
    for stranger in (people.alice, people.charlie):
        with pytest.raises(PermissionDenied):
            refunded(stranger, top_up, 600)
    use(payer, 15 * EURO)
    for cents, code in ((0, "more_than_paid"), (2401, "more_than_paid"), (601, "more_than_left")):
        with pytest.raises(Refused) as refused:
            refunded(operator, top_up, cents)
        assert refused.value.code == code
    refunded(operator, top_up, 600)
    with pytest.raises(Refused):
        refunded(operator, top_up, 2)
    with pytest.raises(Refused) as refused:
        refund_top_up(actor=operator, door=Door.CLI, top_up=top_up, cents=1, reason=" ")
    assert refused.value.field == "reason"


def test_what_was_given_back_at_stripe_itself_is_known(
    house: StripeAtWork, people: People, payer: Payer
) -> None:
    top_up = look_at(paid(people.alice, payer))
    house.client().v1.refunds.create({"payment_intent": top_up.payment, "amount": 1200})
    fetch()
    assert (left(payer), books_agree(house)) == (1000, True)


@pytest.mark.parametrize("won", [True, False])
def test_a_dispute_freezes_until_it_is_decided(
    house: StripeAtWork, people: People, payer: Payer, operator: User, *, won: bool
) -> None:
    top_up = look_at(paid(people.alice, payer))
    reference = disputed(house, top_up)
    fetch()
    assert (left(payer), books_agree(house)) == (-2000, True)
    assert (customer().frozen_at is not None, customer().frozen_why) == (True, "dispute")
    with pytest.raises(Refused) as refused:
        refunded(operator, top_up, 100)
    assert refused.value.code == "frozen"
    house.order("/stripe/disputes/close", {"dispute": reference, "won": won})
    fetch()
    assert (left(payer), books_agree(house)) == (0 if won else -2000, True)
    assert posted()[f"dispute:{reference}:fee"] == -2000
    assert (customer().frozen_at is None) == won
    assert Dispute.objects.get().closed_at is not None


def test_a_lost_dispute_is_over_once_it_is_paid(
    house: StripeAtWork, people: People, payer: Payer
) -> None:
    top_up = look_at(paid(people.alice, payer))
    reference = disputed(house, top_up)
    house.order("/stripe/disputes/close", {"dispute": reference, "won": False})
    fetch()
    look_at(paid(people.alice, payer, 1900))
    assert (left(payer), customer().frozen_at is not None) == (-100, True)
    look_at(paid(people.alice, payer, 500))
    fetch()
    assert (left(payer), customer().frozen_at, books_agree(house)) == (400, None, True)


def test_who_runs_the_farm_may_let_a_payer_go_on(
    house: StripeAtWork, people: People, payer: Payer, operator: User
) -> None:
    disputed(house, look_at(paid(people.alice, payer)))
    fetch()
    with pytest.raises(PermissionDenied):
        unfreeze(actor=people.alice, door=Door.WEB, payer=payer)
    unfreeze(actor=operator, door=Door.CLI, payer=payer)
    assert customer().frozen_at is None


def test_money_that_went_back_is_understood_in_any_order(
    house: StripeAtWork, people: People, payer: Payer, operator: User
) -> None:
    """Even before it is known that the money came."""
    kept, questioned = (look_at(paid(people.alice, payer)) for _ in range(2))
    refunded(operator, kept, 600)
    drive_refunds()
    reference = disputed(house, questioned)
    house.order("/stripe/disputes/close", {"dispute": reference, "won": True})
    fetch()
    end = (left(payer), len(posted()), customer().frozen_at)
    assert (left(payer), books_agree(house)) == (1500, True)
    events = list(StripeEvent.objects.order_by("happened_at", "pk").values_list("pk", flat=True))
    for order in (events, events[::-1], list(itertools.chain(events[1::2], events[::2]))):
        for pk in order:
            StripeEvent.objects.filter(pk=pk).update(worked_at=None)
            understand()
        assert (left(payer), len(posted()), customer().frozen_at) == end


def test_wallets_add_up_to_what_stripe_took(
    house: StripeAtWork, people: People, payer: Payer, operator: User
) -> None:
    other = wallet(account_of(user=people.charlie))
    look_at(paid(people.alice, payer))
    lost, won = (look_at(paid(people.alice, payer, cents)) for cents in (1000, 3333))
    charged(with_card(house, payer))
    company = paid(people.charlie, other, 5000, country="DE", vat_id="DE000000000")
    refunded(operator, look_at(company), 1234)
    drive_refunds()
    for top_up, end in ((lost, False), (won, True)):
        reference = disputed(house, top_up)
        house.order("/stripe/disputes/close", {"dispute": reference, "won": end})
    fetch()
    fees = 2 * 2000
    assert left(payer) == 2000 + 3333 + 2000 - fees
    assert left(other) == 5000 - 1234
    assert (books_agree(house), unequal()) == (True, [])


def test_what_stripe_refuses_to_give_back_is_told(
    house: StripeAtWork, people: People, payer: Payer, operator: User
) -> None:
    top_up = look_at(paid(people.alice, payer))
    refunded(operator, top_up, 2400)
    house.client().v1.refunds.create({"payment_intent": top_up.payment, "amount": 100})
    drive_refunds()
    asked = Refund.objects.get()
    assert (asked.state, left_of(top_up), left(payer)) == ("refused", 2400, 2000)
    assert trouble() == asked.trouble
    Refund.objects.update(ended_at=timezone.now() - timedelta(days=4))
    assert trouble() == ""


def test_what_is_of_nobody_here_is_let_go(house: StripeAtWork, payer: Payer) -> None:
    """The account at Stripe may serve for other things too."""
    client = house.client()
    stranger, card = stripe_with_card(client)
    sold = client.v1.payment_intents.create(
        {
            "amount": 1200,
            "currency": "eur",
            "customer": stranger,
            "payment_method": card,
            "off_session": True,
            "confirm": True,
        }
    )
    client.v1.refunds.create({"payment_intent": sold.id, "amount": 100})
    house.order("/stripe/disputes", {"payment_intent": sold.id})
    fetch()
    assert not StripeEvent.objects.filter(worked_at=None).exists()
    assert (posted(), Dispute.objects.exists()) == ({}, False)


def test_what_is_told_before_its_payment_waits_for_it(
    house: StripeAtWork, people: People, payer: Payer
) -> None:
    top_up = paid(people.alice, payer)
    there = house.client().v1.checkout.sessions.retrieve(top_up.checkout)
    house.client().v1.refunds.create({"payment_intent": str(there.payment_intent), "amount": 1200})
    house.order("/stripe/disputes", {"payment_intent": str(there.payment_intent)})
    fetch(now=False)
    late = StripeEvent.objects.filter(type__startswith="invoice") | StripeEvent.objects.filter(
        type__startswith="checkout"
    )
    held = list(late.values_list("pk", flat=True))
    late.update(worked_at=timezone.now(), due_at=None)
    understand()
    waiting = StripeEvent.objects.filter(worked_at=None)
    assert {one.kind for one in waiting} == {"refund", "dispute"}
    StripeEvent.objects.filter(pk__in=held).update(worked_at=None)
    understand()
    assert not waiting.all().exists()
    assert (books_agree(house), left(payer) < 0) == (True, True)
