"""Whatever an event was about, fetched as it is now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import stripe

from farm.billing import gateway_reading as reading
from farm.billing import gateway_values as values
from farm.billing.gateway.line import GONE, plain
from farm.billing.gateway_errors import Rejected

WHOLE_PAYMENT: Final = ["latest_charge.balance_transaction", "payment_method"]
Fetch = Callable[[stripe.StripeClient, str, str], values.Found]


def _customer(client: stripe.StripeClient, uid: str, _: str) -> values.Found:
    found = plain(client.v1.customers.retrieve(uid))
    if found.get("deleted"):
        raise Rejected(GONE, f"The customer {uid} was deleted.")
    return reading.customer_of(found)


def _checkout(client: stripe.StripeClient, uid: str, _: str) -> values.Found:
    return reading.checkout_of(plain(client.v1.checkout.sessions.retrieve(uid)))


def _payment_of_charge(client: stripe.StripeClient, uid: str, _: str) -> values.Found:
    """A charge is but a try: what is asked for is the payment that it belongs to."""
    intent = reading.text(plain(client.v1.charges.retrieve(uid)), "payment_intent")
    return _payment(client, intent, "")


def _payment(client: stripe.StripeClient, uid: str, _: str) -> values.Found:
    found = client.v1.payment_intents.retrieve(uid, {"expand": WHOLE_PAYMENT})
    return reading.payment_of(plain(found))


def _setup(client: stripe.StripeClient, uid: str, _: str) -> values.Found:
    found = client.v1.setup_intents.retrieve(uid, {"expand": ["payment_method"]})
    return reading.setup_of(plain(found))


def _invoice(client: stripe.StripeClient, uid: str, _: str) -> values.Found:
    found = client.v1.invoices.retrieve(uid, {"expand": ["payments"]})
    return reading.invoice_of(plain(found))


def _refund(client: stripe.StripeClient, uid: str, _: str) -> values.Found:
    found = client.v1.refunds.retrieve(uid, {"expand": ["payment_intent"]})
    return reading.refund_of(plain(found))


def _dispute(client: stripe.StripeClient, uid: str, _: str) -> values.Found:
    found = client.v1.disputes.retrieve(uid, {"expand": ["payment_intent"]})
    return reading.dispute_of(plain(found))


FETCHES: Final[Mapping[str, Fetch]] = {
    "customer": _customer,
    "payment_method": lambda c, uid, _: reading.card_of(plain(c.v1.payment_methods.retrieve(uid))),
    "checkout.session": _checkout,
    "payment_intent": _payment,
    "charge": _payment_of_charge,
    "setup_intent": _setup,
    "invoice": _invoice,
    "credit_note": lambda c, uid, _: reading.credit_note_of(plain(c.v1.credit_notes.retrieve(uid))),
    "refund": _refund,
    "dispute": _dispute,
    "tax_id": lambda c, uid, owner: reading.tax_id_of(
        plain(c.v1.customers.tax_ids.retrieve(owner, uid))
    ),
}
