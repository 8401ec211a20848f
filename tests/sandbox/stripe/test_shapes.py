"""Every object has the keys of the official fixtures, with values of the same types."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import requests
import stripe

from farm.sandbox.wire import Json, JsonObject
from tests.sandbox.stripe.acting import GOOD, checkout, customer, fill_in, with_card
from tests.sandbox.stripe.stripe_at_work import KEY, StripeAtWork

FIXTURES = (
    Path(__file__).resolve().parents[4] / "shared" / "specs" / "stripe.fixtures3.2026-08.json"
)
# What the fixtures still show of older versions of the API, and what is there on request only.
NOT_SHOWN: Mapping[str, frozenset[str]] = {
    "charge": frozenset({"refunds"}),
    "checkout.session": frozenset({"managed_payments"}),
    "invoice": frozenset({"subscription"}),
    "payment_intent": frozenset({"managed_payments"}),
    "refund": frozenset({"customer", "customer_account", "payment_method"}),
}
# What the fixtures lack although the SDK's types have it.
NEWER: Mapping[str, frozenset[str]] = {
    "checkout.session": frozenset({"tax_id_collection"}),
    "setup_intent": frozenset({"customer_account"}),
}


@pytest.fixture(scope="module")
def fixtures() -> Mapping[str, JsonObject]:
    """The official objects by their names, where they are at hand."""
    if not FIXTURES.exists():
        pytest.skip("Stripe's fixtures are not beside the project.")
    found: Mapping[str, JsonObject] = json.loads(FIXTURES.read_text())["resources"]
    return found


def everything(at_work: StripeAtWork, client: stripe.StripeClient) -> Iterator[JsonObject]:
    """One object of each kind, as it travels."""
    payer = customer(client, "DE", "DE000000000")
    session = checkout(client, payer.id)
    open_session = checkout(client, payer.id)
    fill_in(session.url, GOOD, "DE")
    buyer, card = with_card(client)
    setup = client.v1.setup_intents.create(
        {"customer": buyer, "payment_method": card, "confirm": True}
    )
    paper = client.v1.invoices.create({"customer": buyer, "automatic_tax": {"enabled": True}})
    item = client.v1.invoice_items.create(
        {"customer": buyer, "invoice": paper.id, "amount": 1000, "currency": "eur"}
    )
    client.v1.invoices.pay(paper.id, {"payment_method": card})
    note = client.v1.credit_notes.create({"invoice": paper.id, "amount": 600, "refund_amount": 600})
    paid = client.v1.checkout.sessions.retrieve(session.id)
    charge = client.v1.charges.list({"customer": payer.id}).data[0]
    dispute = at_work.order("/stripe/disputes", {"charge": charge.id})
    portal = client.v1.billing_portal.sessions.create({"customer": buyer})
    paths = [
        f"customers/{payer.id}",
        f"customers/{payer.id}/tax_ids",
        f"payment_methods/{card}",
        f"checkout/sessions/{paid.id}",
        f"checkout/sessions/{open_session.id}",
        f"payment_intents/{paid.payment_intent}",
        f"setup_intents/{setup.id}",
        f"charges/{charge.id}",
        f"invoices/{paper.id}",
        f"invoices/{paid.invoice}",
        f"invoiceitems/{item.id}",
        f"credit_notes/{note.id}",
        "refunds",
        "balance_transactions",
        "events",
        "disputes",
    ]
    for path in paths:
        yield from _objects(_get(at_work, path))
    yield dispute
    yield json.loads(str(portal))


def _get(at_work: StripeAtWork, path: str) -> JsonObject:
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = requests.get(f"{at_work.endpoint}/v1/{path}", headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    shown: JsonObject = answer.json()
    return shown


def _objects(shown: JsonObject) -> Iterator[JsonObject]:
    data = shown["data"] if shown["object"] == "list" else [shown]
    assert isinstance(data, list)
    assert data
    yield from data


def test_keys_and_types_are_those_of_the_fixtures(
    at_work: StripeAtWork, client: stripe.StripeClient, fixtures: Mapping[str, JsonObject]
) -> None:
    seen = set()
    for shown in everything(at_work, client):
        kind = str(shown["object"])
        official = fixtures[kind]
        seen.add(kind)
        ours = shown.keys() - NEWER.get(kind, frozenset())
        assert ours == official.keys() - NOT_SHOWN.get(kind, frozenset()), kind
        for key in ours:
            _same_type(f"{kind}.{key}", shown[key], official[key])
    assert len(seen) == 15


def _same_type(name: str, ours: Json, official: Json) -> None:
    if ours is None or official is None:
        return
    numbers = (int, float)
    if isinstance(official, numbers) and not isinstance(official, bool):
        assert isinstance(ours, numbers), name
        return
    assert type(ours) is type(official), name


def test_the_sdk_knows_every_key(at_work: StripeAtWork, client: stripe.StripeClient) -> None:
    kinds = {
        "customer": stripe.Customer,
        "checkout.session": stripe.checkout.Session,
        "payment_intent": stripe.PaymentIntent,
        "setup_intent": stripe.SetupIntent,
        "payment_method": stripe.PaymentMethod,
        "charge": stripe.Charge,
        "invoice": stripe.Invoice,
        "invoiceitem": stripe.InvoiceItem,
        "credit_note": stripe.CreditNote,
        "refund": stripe.Refund,
        "dispute": stripe.Dispute,
        "balance_transaction": stripe.BalanceTransaction,
    }
    for shown in everything(at_work, client):
        kind = kinds.get(str(shown["object"]))
        if kind:
            known = set(kind.__annotations__)
            assert shown.keys() <= known, kind
