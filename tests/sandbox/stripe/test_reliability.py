"""Idempotency keys, faults, webhooks, and books that outlive a kill."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import requests
import stripe

from farm.sandbox.clock import Clock
from tests.sandbox.running import sandbox
from tests.sandbox.stripe.acting import customer
from tests.sandbox.stripe.stripe_at_work import (
    PATIENCE,
    SLOW,
    WEBHOOK_SECRET,
    Inbox,
    StripeAtWork,
    inbox,
    stripe_at_work,
)


def eventually(look: Callable[[], bool]) -> None:
    """Return as soon as it is true."""
    deadline = time.monotonic() + PATIENCE
    while not look():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def test_a_key_has_one_effect_for_a_day(at_work: StripeAtWork, client: stripe.StripeClient) -> None:
    once: stripe.RequestOptions = {"idempotency_key": "customer:1"}
    first = client.v1.customers.create({"name": "A"}, once)
    again = client.v1.customers.create({"name": "A"}, once)
    assert first.id == again.id
    with pytest.raises(stripe.IdempotencyError):
        client.v1.customers.create({"name": "B"}, once)
    at_work.pass_time(timedelta(hours=25))
    assert client.v1.customers.create({"name": "B"}, once).id != first.id


def test_a_refusal_is_remembered_too_but_not_a_mistake(client: stripe.StripeClient) -> None:
    once: stripe.RequestOptions = {"idempotency_key": "pay:1"}
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.create({"amount": 1, "currency": "eur"}, once)
    wish: stripe.params.PaymentIntentCreateParams = {
        "amount": 500,
        "currency": "eur",
        "payment_method": "pm_card_chargeDeclined",
        "confirm": True,
    }
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            client.v1.payment_intents.create(wish, once)
    assert len(client.v1.charges.list().data) == 1


@pytest.mark.parametrize("fault", ["server-error-after", "reset-after", "bad-gateway-after"])
def test_an_answer_that_was_lost_is_given_to_who_asks_again(
    at_work: StripeAtWork, fault: str
) -> None:
    at_work.order("/faults", {"name": fault, "cloud": "stripe", "match": ["POST"]})
    made = at_work.client(retries=1).v1.customers.create({"name": "A"})
    assert [one.id for one in at_work.client().v1.customers.list().data] == [made.id]


def test_faults_are_felt_as_the_sdk_words_them(at_work: StripeAtWork) -> None:
    client = at_work.client()
    felt: list[tuple[str, type[stripe.StripeError]]] = [
        ("rate-limit", stripe.RateLimitError),
        ("server-error", stripe.APIError),
        ("reset-before", stripe.APIConnectionError),
        ("unauthorized", stripe.AuthenticationError),
    ]
    for name, kind in felt:
        at_work.order("/faults", {"name": name, "cloud": "stripe"})
        with pytest.raises(kind):
            client.v1.customers.create({"name": "A"})
    assert client.v1.customers.list().data == []
    told = requests.post(
        f"{at_work.control}/faults", json={"name": "sold-out", "cloud": "stripe"}, timeout=10
    )
    assert told.status_code == 422


def test_at_random_only_what_happens_at_stripe(at_work: StripeAtWork) -> None:
    at_work.order("/faults/random", {"seed": 5, "share": 0.3, "seconds": 1})
    client = at_work.client()
    felt = []
    for number in range(30):
        try:
            client.v1.customers.create({"name": str(number)})
        except stripe.StripeError as error:
            felt.append(error.http_status)
    assert 3 <= len(felt) <= 20
    assert set(felt) <= {None, 429, 500, 502}


def believed(box: Inbox) -> list[str]:
    """The types of what came, each held against its signature by the official SDK."""
    for body, header in box.taken:
        stripe.WebhookSignature.verify_header(body.decode(), header, WEBHOOK_SECRET, 300)
    return box.kinds()


def test_webhooks_are_signed_and_come_again_until_taken(
    at_work: StripeAtWork, client: stripe.StripeClient
) -> None:
    with inbox() as box:
        at_work.order("/stripe/webhooks", {"url": box.url})
        box.status = 500
        made = customer(client)
        eventually(lambda: len(box.taken) == 1)
        missed = client.v1.events.list({"delivery_success": False}).data
        assert [event.type for event in missed] == ["customer.created"]
        box.status = 200
        at_work.pass_time(timedelta(seconds=11))
        eventually(lambda: len(box.taken) == 2)
        assert believed(box) == ["customer.created"] * 2
        first, second = (json.loads(body) for body, _ in box.taken)
        assert first["id"] == second["id"]
        assert first["data"]["object"]["id"] == made.id
        eventually(lambda: not client.v1.events.list({"delivery_success": False}).data)


def test_webhooks_come_late_twice_or_never(
    at_work: StripeAtWork, client: stripe.StripeClient
) -> None:
    with inbox() as box:
        at_work.order("/stripe/webhooks", {"url": box.url})
        at_work.order("/faults", {"name": "webhook-lost"})
        customer(client)
        eventually(lambda: _attempts(at_work) == [1])
        at_work.order("/faults", {"name": "webhook-late", "seconds": 60})
        late = customer(client)
        client.v1.customers.update(late.id, {"name": "B"})
        eventually(lambda: box.kinds() == ["customer.updated"])
        at_work.pass_time(timedelta(seconds=61))
        eventually(lambda: box.kinds() == ["customer.updated", "customer.created"])
        at_work.order("/faults", {"name": "webhook-twice"})
        client.v1.customers.delete(late.id)
        eventually(lambda: box.kinds()[2:] == ["customer.deleted"])
        eventually(lambda: _attempts(at_work)[-1] == 1)
        at_work.pass_time(timedelta(seconds=11))
        eventually(lambda: box.kinds()[2:] == ["customer.deleted"] * 2)


def _attempts(at_work: StripeAtWork) -> list[int]:
    deliveries = at_work.read("/stripe/deliveries")["deliveries"]
    assert isinstance(deliveries, list)
    return [one["attempts"] for one in deliveries if one["attempts"]]


def test_only_the_events_that_were_asked_for_are_sent(
    at_work: StripeAtWork, client: stripe.StripeClient
) -> None:
    with inbox() as box:
        made = client.v1.webhook_endpoints.create(
            {"url": box.url, "enabled_events": ["customer.deleted"]}
        )
        assert made.secret
        client.v1.customers.delete(customer(client).id)
        eventually(lambda: box.kinds() == ["customer.deleted"])
        client.v1.webhook_endpoints.delete(made.id)
        assert client.v1.webhook_endpoints.list().data == []


def test_everything_is_found_again(tmp_path: Path) -> None:
    with stripe_at_work(tmp_path) as first, inbox() as box:
        box.status = 500
        first.order("/stripe/webhooks", {"url": box.url})
        customer(first.client(), "DE", "DE000000000")
        made = first.client().v1.customers.create({"name": "K"}, {"idempotency_key": "k"})
        eventually(lambda: len(_events(box)) == 4)
        before = first.read("/stripe/books")
    clock = Clock(speed=SLOW, ahead=first.clock.ahead)
    with stripe_at_work(tmp_path, clock=clock) as second, inbox() as box:
        client = second.client()
        second.order("/stripe/webhooks", {"url": box.url})
        assert second.read("/stripe/books") == before
        assert client.v1.customers.create({"name": "K"}, {"idempotency_key": "k"}).id == made.id
        assert len(client.v1.customers.list().data) == 2
        second.pass_time(timedelta(seconds=70))
        eventually(lambda: len(_events(box)) == 4)


def _events(box: Inbox) -> set[str]:
    return {str(json.loads(body)["id"]) for body, _ in box.taken}


def test_a_kill_loses_nothing_and_a_farm_finds_it_by_its_environment(tmp_path: Path) -> None:
    def client(env: dict[str, str]) -> stripe.StripeClient:
        return stripe.StripeClient(
            env["STRIPE_SECRET_KEY"], base_addresses={"api": env["STRIPE_API_BASE"]}
        )

    with inbox() as box:
        with sandbox(tmp_path / "state", ["--webhooks", box.url]) as first:
            made = customer(client(dict(first.env)))
            eventually(lambda: box.kinds() == ["customer.created"])
            first.stop(signal.SIGKILL)
        with sandbox(tmp_path / "state") as second:
            assert second.env == first.env
            there = client(dict(second.env))
            assert there.v1.customers.update(made.id, {"name": "N."}).email == made.email
            eventually(lambda: box.kinds()[-1] == "customer.updated")
            books = requests.get(f"{second.control}/stripe/books", timeout=30).json()
            assert books["balance"] == 0
