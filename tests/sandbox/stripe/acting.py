"""What tests do at the payment house: a customer, a top-up, a buyer at the hosted page."""

from __future__ import annotations

import re
from typing import Literal

import requests
import stripe

GOOD, DECLINED, POOR = "4242424242424242", "4000000000000002", "4000000000009995"
ASKS_ONCE, ASKS_ALWAYS = "4000002500003155", "4000002760003184"
FAILS_LATER = "4000000000000341"


def customer(client: stripe.StripeClient, country: str = "FR", vat_id: str = "") -> stripe.Customer:
    """Somebody who buys."""
    made = client.v1.customers.create(
        {"email": "nadia@example.com", "name": "Nadia", "address": {"country": country}}
    )
    if vat_id:
        client.v1.customers.tax_ids.create(made.id, {"type": "eu_vat", "value": vat_id})
    return made


def with_card(client: stripe.StripeClient, kind: str = "pm_card_visa") -> tuple[str, str]:
    """A customer with a card that is kept; answers both ids."""
    payer = customer(client)
    method = client.v1.payment_methods.attach(kind, {"customer": payer.id})
    return payer.id, method.id


def checkout(
    client: stripe.StripeClient,
    customer_id: str | None,
    cents: int = 2000,
    *,
    mode: Literal["payment", "setup"] = "payment",
) -> stripe.checkout.Session:
    """A checkout as the farm asks for one."""
    wish: stripe.params.checkout.SessionCreateParams = {
        "mode": mode,
        "success_url": "http://localhost/paid?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://localhost/back",
        "metadata": {"payer": "p1"},
    }
    if customer_id:
        wish["customer"] = customer_id
    if mode == "payment":
        wish["automatic_tax"] = {"enabled": True}
        wish["tax_id_collection"] = {"enabled": True}
        wish["invoice_creation"] = {"enabled": True}
        wish["payment_intent_data"] = {"setup_future_usage": "off_session"}
        wish["line_items"] = [
            {
                "quantity": 1,
                "price_data": {
                    "currency": "eur",
                    "unit_amount": cents,
                    "tax_behavior": "exclusive",
                    "product_data": {"name": "Top-up"},
                },
            }
        ]
    return client.v1.checkout.sessions.create(wish)


def fill_in(
    url: str | None, number: str, country: str = "FR", vat_id: str = ""
) -> requests.Response:
    """The buyer types a card into the hosted page and sends it."""
    typed = {"number": number, "email": "nadia@example.com", "name": "Nadia", "country": country}
    return requests.post(str(url), data=typed | {"vat_id": vat_id}, timeout=30)


def answer_bank(page: requests.Response, *, approve: bool) -> requests.Response:
    """What the card's owner says on the bank's page."""
    return requests.post(page.url, data={"answer": "approve" if approve else "fail"}, timeout=30)


def led_on(page: requests.Response) -> str:
    """Where a finished page leads, without going there."""
    found = re.search(r'id="onward" href="([^"]+)"', page.text)
    assert found, page.text
    return found[1].replace("&amp;", "&")
