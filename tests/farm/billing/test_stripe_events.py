"""Stripe's webhooks over the wire: believed by signature, kept once, looked up, fetched if lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
import stripe
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from farm.agents.reconciler.driving import STRIPE_EVENTS, STRIPE_ROUNDS
from farm.agents.selectors.morning.todos import todos_at
from farm.agents.worker import prepare
from farm.billing.stripe_rows import StripeEvent, StripeRound
from farm.sandbox.stripe.webhooks import signature
from tests.sandbox.stripe.acting import GOOD, checkout, customer, fill_in, led_on, with_card
from tests.sandbox.stripe.stripe_at_work import (
    KEY,
    WEBHOOK_SECRET,
    Inbox,
    StripeAtWork,
    inbox,
    stripe_at_work,
)

DOOR = "/stripe/webhook"


@pytest.fixture
def house(tmp_path: Path, settings: Settings) -> Iterator[StripeAtWork]:
    """A payment house to which the settings lead."""
    with stripe_at_work(tmp_path / "stripe") as started:
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = KEY, WEBHOOK_SECRET
        settings.STRIPE_API_BASE = started.endpoint
        yield started


@pytest.fixture
def client_there(house: StripeAtWork) -> stripe.StripeClient:
    """The official client."""
    return house.client()


@pytest.fixture
def hooked(house: StripeAtWork, live_server: LiveServer) -> StripeAtWork:
    """The house, whose webhooks come to the farm's door."""
    house.order("/stripe/webhooks", {"url": f"{live_server.url}{DOOR}"})
    return house


def eventually(look: Callable[[], bool]) -> None:
    """Return as soon as it is true."""
    deadline = time.monotonic() + 60
    while not look():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


def work() -> dict[str, str]:
    """Take each event that is due; what each is known to be, by its type."""
    for job in list(STRIPE_EVENTS.jobs(timezone.now())):
        job.work(lambda claim: None)
    return dict(StripeEvent.objects.order_by("happened_at").values_list("type", "state"))


def all_arrived(house: StripeAtWork) -> bool:
    """Whether nothing is on its way."""
    deliveries = house.read("/stripe/deliveries")["deliveries"]
    assert isinstance(deliveries, list)
    return bool(deliveries) and all(one["arrived"] for one in deliveries)


def read_what_was_missed() -> StripeRound:
    """One round, now."""
    StripeRound.objects.update(due_at=timezone.now())
    for job in list(STRIPE_ROUNDS.jobs(timezone.now())):
        job.work(lambda claim: None)
    return StripeRound.objects.get()


@pytest.mark.django_db(transaction=True)
def test_a_top_up_is_heard_of_and_looked_up(
    hooked: StripeAtWork, client_there: stripe.StripeClient
) -> None:
    session = checkout(client_there, customer(client_there).id)
    led_on(fill_in(session.url, GOOD))
    eventually(lambda: all_arrived(hooked))
    assert work() == {
        "customer.updated": "there",
        "checkout.session.completed": "paid",
        "payment_intent.succeeded": "succeeded",
        "invoice.finalized": "paid",
        "invoice.paid": "paid",
    }
    assert not StripeEvent.objects.filter(worked_at=None).exists()
    assert not StripeEvent.objects.exclude(due_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_what_comes_twice_is_kept_once(
    hooked: StripeAtWork, client_there: stripe.StripeClient
) -> None:
    payer, card = with_card(client_there)
    hooked.order("/faults", {"name": "webhook-twice", "match": ["payment_intent.succeeded"]})
    _charge(client_there, payer, card)
    eventually(lambda: StripeEvent.objects.count() == 1)
    eventually(lambda: _attempts(hooked, "payment_intent.succeeded") == 1)
    hooked.pass_time(timedelta(seconds=11))
    eventually(lambda: _attempts(hooked, "payment_intent.succeeded") == 2)
    assert work() == {"payment_intent.succeeded": "succeeded"}
    assert StripeEvent.objects.count() == 1


def _charge(there: stripe.StripeClient, payer: str, card: str) -> stripe.PaymentIntent:
    return there.v1.payment_intents.create(
        {
            "amount": 1200,
            "currency": "eur",
            "customer": payer,
            "payment_method": card,
            "off_session": True,
            "confirm": True,
        }
    )


def _attempts(house: StripeAtWork, kind: str) -> int:
    deliveries = house.read("/stripe/deliveries")["deliveries"]
    assert isinstance(deliveries, list)
    return sum(int(one["attempts"]) for one in deliveries if one["type"] == kind)


@pytest.mark.django_db(transaction=True)
def test_what_comes_late_is_what_it_is_by_then(
    hooked: StripeAtWork, client_there: stripe.StripeClient
) -> None:
    payer, card = with_card(client_there)
    hooked.order("/faults", {"name": "webhook-late", "match": ["invoice.finalized"], "seconds": 60})
    paper = client_there.v1.invoices.create({"customer": payer})
    client_there.v1.invoice_items.create(
        {"customer": payer, "invoice": paper.id, "amount": 700, "currency": "eur"}
    )
    client_there.v1.invoices.finalize_invoice(paper.id)
    client_there.v1.invoices.pay(paper.id, {"payment_method": card})
    eventually(lambda: StripeEvent.objects.filter(type="invoice.paid").exists())
    assert work()["invoice.paid"] == "paid"
    assert not StripeEvent.objects.filter(type="invoice.finalized").exists()
    hooked.pass_time(timedelta(seconds=61))
    eventually(lambda: all_arrived(hooked))
    assert work()["invoice.finalized"] == "paid"


@pytest.mark.django_db(transaction=True)
def test_what_never_arrived_is_fetched_and_only_once(
    hooked: StripeAtWork, client_there: stripe.StripeClient
) -> None:
    payer, card = with_card(client_there)
    lost = {"name": "webhook-lost", "match": ["payment_intent.succeeded"]}
    hooked.order("/faults", lost)
    _charge(client_there, payer, card)
    eventually(lambda: _attempts(hooked, "payment_intent.succeeded") == 1)
    assert not StripeEvent.objects.exists()
    StripeRound.objects.create(due_at=timezone.now())
    assert read_what_was_missed().read_to is not None
    assert work() == {"payment_intent.succeeded": "succeeded"}
    assert StripeEvent.objects.get().fetched
    _charge(client_there, payer, card)
    eventually(lambda: StripeEvent.objects.count() == 2)
    again = read_what_was_missed()
    assert (StripeEvent.objects.count(), again.trouble) == (2, "")
    assert StripeEvent.objects.filter(fetched=True).count() == 1
    assert again.due_at is not None
    assert again.due_at > timezone.now() + timedelta(hours=23)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_given_up_while_stripe_is_away(
    hooked: StripeAtWork, client_there: stripe.StripeClient
) -> None:
    payer, card = with_card(client_there)
    _charge(client_there, payer, card)
    eventually(lambda: all_arrived(hooked))
    StripeRound.objects.create(due_at=timezone.now())
    hooked.order("/faults", {"name": "unauthorized", "cloud": "stripe", "times": None})
    work()
    row, reader = StripeEvent.objects.get(), read_what_was_missed()
    for waiting in (row, reader):
        assert "refuses the farm's key" in waiting.trouble
        assert waiting.due_at is not None
        assert waiting.due_at > timezone.now()
    assert row.worked_at is None
    assert "refuses the farm's key" in _to_do()
    requests.delete(f"{hooked.control}/faults", timeout=30)
    StripeEvent.objects.update(due_at=timezone.now())
    assert work() == {"payment_intent.succeeded": "succeeded"}
    assert (StripeEvent.objects.get().trouble, read_what_was_missed().trouble) == ("", "")
    assert _to_do() == ""


def _to_do() -> str:
    """What the operator's morning says of Stripe."""
    todos = {todo.code: str(todo.sentence) for todo in todos_at(timezone.now())}
    return todos.get("stripe", "")


@pytest.mark.django_db(transaction=True)
def test_what_is_gone_by_then_is_known_to_be(
    hooked: StripeAtWork, client_there: stripe.StripeClient
) -> None:
    buyer = customer(client_there, "DE", "DE000000000")
    eventually(lambda: StripeEvent.objects.count() == 1)
    kept = StripeEvent.objects.get()
    assert (kept.type, kept.owner) == ("customer.tax_id.updated", buyer.id)
    client_there.v1.customers.tax_ids.delete(buyer.id, kept.subject)
    method = client_there.v1.payment_methods.attach("pm_card_visa", {"customer": buyer.id})
    client_there.v1.payment_methods.detach(method.id)
    eventually(lambda: StripeEvent.objects.count() == 2)
    assert work() == {"customer.tax_id.updated": "gone", "payment_method.detached": "detached"}


@pytest.fixture
def genuine(house: StripeAtWork, client_there: stripe.StripeClient) -> bytes:
    """The body of a webhook as the house sends it."""

    def heard(box: Inbox) -> bool:
        return "payment_intent.succeeded" in box.kinds()

    with inbox() as box:
        house.order("/stripe/webhooks", {"url": box.url})
        _charge(client_there, *with_card(client_there))
        eventually(lambda: heard(box))
        return box.taken[box.kinds().index("payment_intent.succeeded")][0]


@pytest.mark.django_db
def test_only_what_stripe_signed_just_now_is_believed(genuine: bytes, settings: Settings) -> None:
    now = int(time.time())
    good = signature(WEBHOOK_SECRET, now, genuine.decode())
    forged = (
        (genuine, ""),
        (genuine, "t=1,v1=x"),
        (genuine, signature("whsec_other", now, genuine.decode())),
        (genuine, signature(WEBHOOK_SECRET, now - 400, genuine.decode())),
        (genuine.replace(b"succeeded", b"forged"), good),
        (b"nonsense", signature(WEBHOOK_SECRET, now, "nonsense")),
    )
    for body, header in forged:
        assert _post(body, header) == 400
    assert not StripeEvent.objects.exists()
    assert _post(genuine, good) == _post(genuine, good) == 200
    assert StripeEvent.objects.count() == 1
    assert Client().get(DOOR).status_code == 405
    settings.STRIPE_WEBHOOK_SECRET = ""
    assert _post(genuine, good) == 404
    settings.STRIPE_SECRET_KEY = ""
    assert _post(genuine, good) == 404


def _post(body: bytes, header: str) -> int:
    headers = {"Stripe-Signature": header}
    return (
        Client(enforce_csrf_checks=True)
        .post(DOOR, body, content_type="application/json", headers=headers)
        .status_code
    )


@pytest.mark.django_db(transaction=True)
def test_a_farm_without_stripe_has_nothing_to_read(house: StripeAtWork, settings: Settings) -> None:
    settings.STRIPE_SECRET_KEY = ""
    prepare(threading.Event())
    assert not StripeRound.objects.exists()
    settings.STRIPE_SECRET_KEY = KEY
    prepare(threading.Event())
    assert StripeRound.objects.count() == 1
