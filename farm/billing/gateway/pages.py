"""Hosted pages: where money is paid in, and where a card is kept."""

from __future__ import annotations

from farm.billing import gateway_reading as reading
from farm.billing import gateway_values as values
from farm.billing.gateway.line import TAX_CODE, Line, once, plain, sorted_errors


class Pages(Line):
    """What a buyer is led to."""

    def open_top_up(self, wish: values.TopUp, key: str) -> values.Checkout:
        """A hosted page for a payment with VAT on top; its invoice is the only one of it."""
        with sorted_errors():
            made = self.client.v1.checkout.sessions.create(
                {
                    "mode": "payment",
                    "customer": wish.customer,
                    # Where the buyer is, and their VAT id, are asked on the page and kept.
                    "customer_update": {"address": "auto", "name": "auto"},
                    "billing_address_collection": "required",
                    "tax_id_collection": {"enabled": wish.with_vat},
                    "automatic_tax": {"enabled": wish.with_vat},
                    "invoice_creation": {
                        "enabled": True,
                        "invoice_data": {"metadata": dict(wish.metadata)},
                    },
                    "payment_intent_data": {
                        "setup_future_usage": "off_session",
                        "description": wish.what,
                        "metadata": dict(wish.metadata),
                    },
                    "line_items": [
                        {
                            "quantity": 1,
                            "price_data": {
                                "currency": "eur",
                                "unit_amount": wish.cents,
                                "tax_behavior": "exclusive",
                                "product_data": {"name": wish.what, "tax_code": TAX_CODE},
                            },
                        }
                    ],
                    "success_url": wish.success_url,
                    "cancel_url": wish.cancel_url,
                    "locale": wish.language,
                    "metadata": dict(wish.metadata),
                },
                once(key),
            )
        return reading.checkout_of(plain(made))

    def open_card_page(self, wish: values.CardWish, key: str) -> values.Checkout:
        """A hosted page that keeps a card."""
        with sorted_errors():
            made = self.client.v1.checkout.sessions.create(
                {
                    "mode": "setup",
                    "currency": "eur",
                    "customer": wish.customer,
                    # Without a country no invoice could be written for this card.
                    "customer_update": {"address": "auto", "name": "auto"},
                    "billing_address_collection": "required",
                    "setup_intent_data": {"metadata": dict(wish.metadata)},
                    "success_url": wish.success_url,
                    "cancel_url": wish.cancel_url,
                    "locale": wish.language,
                    "metadata": dict(wish.metadata),
                },
                once(key),
            )
        return reading.checkout_of(plain(made))
