"""The only door to Stripe: values of our own in and out, errors sorted by what to do about them.

Whatever moves money takes a `key` made of our own ids: asked again with it within a day, Stripe
answers what it answered first. After that, exactly-once is the caller's (look before asking again).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

import stripe

from farm.billing import gateway_reading as reading
from farm.billing import gateway_values as values
from farm.billing.gateway_errors import (
    AnswerLost,
    Declined,
    Forged,
    GatewayError,
    NeedsAuthentication,
    NeedsOperator,
    Rejected,
    Transient,
)
from farm.billing.gateway_reading import Json, Object

TIMEOUTS: Final = (5.0, 20.0)
"""Seconds to connect, and for an answer."""
RETRIES: Final = 2
TOLERANCE: Final = 5 * 60
"""Seconds that a webhook's signature may be old."""
TAX_CODE: Final = "txcd_10101000"
"""Infrastructure as a service, business use."""
WHOLE_PAYMENT: Final = ["latest_charge.balance_transaction"]
GONE: Final = "resource_missing"
ASKED: Final = ("authentication_required", "invoice_payment_intent_requires_action")
CONFLICT: Final = 409

stripe.enable_telemetry = False


@dataclass(frozen=True, slots=True)
class Gateway:
    """`client` is Stripe's own; `secret` signs its webhooks."""

    client: stripe.StripeClient
    secret: str

    def make_customer(self, buyer: values.Buyer, key: str) -> values.Customer:
        """A customer of ours there."""
        asked: stripe.params.CustomerCreateParams = {
            "email": buyer.email,
            "name": buyer.name,
            "metadata": dict(buyer.metadata),
        }
        if buyer.country:
            asked["address"] = {"country": buyer.country}
        with _sorted():
            made = self.client.v1.customers.create(asked, _once(key))
        return reading.customer_of(_plain(made))

    def change_customer(self, uid: str, buyer: values.Buyer) -> values.Customer:
        """Name and mail from now on; where they are is asked on the pages."""
        with _sorted():
            made = self.client.v1.customers.update(
                uid, {"email": buyer.email, "name": buyer.name, "metadata": dict(buyer.metadata)}
            )
        return reading.customer_of(_plain(made))

    def cards(self, customer: str) -> Sequence[values.Card]:
        """The cards that are kept, the newest first."""
        with _sorted():
            found = self.client.v1.customers.payment_methods.list(customer, {"limit": 100})
            return [reading.card_of(_plain(one)) for one in found.auto_paging_iter()]

    def add_tax_id(self, customer: str, value: str, key: str) -> values.TaxId:
        """A VAT id of the European Union; Rejected with code tax_id_invalid if it is none."""
        with _sorted():
            made = self.client.v1.customers.tax_ids.create(
                customer, {"type": "eu_vat", "value": value}, _once(key)
            )
        return reading.tax_id_of(_plain(made))

    def tax_ids(self, customer: str) -> Sequence[values.TaxId]:
        """All of the customer's."""
        with _sorted():
            found = self.client.v1.customers.tax_ids.list(customer)
            return [reading.tax_id_of(_plain(one)) for one in found.auto_paging_iter()]

    def remove_tax_id(self, customer: str, uid: str) -> None:
        """The customer has it no longer; one that is gone is no error."""
        with _sorted(gone_is_fine=True):
            self.client.v1.customers.tax_ids.delete(customer, uid)

    def open_top_up(self, wish: values.TopUp, key: str) -> values.Checkout:
        """A hosted page for a payment with VAT on top; its invoice is the only one of it."""
        with _sorted():
            made = self.client.v1.checkout.sessions.create(
                {
                    "mode": "payment",
                    "customer": wish.customer,
                    # Where the buyer is, and their VAT id, are asked on the page and kept.
                    "customer_update": {"address": "auto", "name": "auto"},
                    "billing_address_collection": "required",
                    "tax_id_collection": {"enabled": True},
                    "automatic_tax": {"enabled": True},
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
                _once(key),
            )
        return reading.checkout_of(_plain(made))

    def open_card_page(self, wish: values.CardWish, key: str) -> values.Checkout:
        """A hosted page that keeps a card."""
        with _sorted():
            made = self.client.v1.checkout.sessions.create(
                {
                    "mode": "setup",
                    "currency": "eur",
                    "customer": wish.customer,
                    "setup_intent_data": {"metadata": dict(wish.metadata)},
                    "success_url": wish.success_url,
                    "cancel_url": wish.cancel_url,
                    "locale": wish.language,
                    "metadata": dict(wish.metadata),
                },
                _once(key),
            )
        return reading.checkout_of(_plain(made))

    def charge(self, wish: values.ChargeWish, key: str) -> values.Payment:
        """A payment while nobody looks; Declined or NeedsAuthentication where the bank says no."""
        with _sorted():
            made = self.client.v1.payment_intents.create(
                {
                    "amount": wish.cents,
                    "currency": "eur",
                    "customer": wish.customer,
                    "payment_method": wish.method,
                    "description": wish.what,
                    "metadata": dict(wish.metadata),
                    "off_session": True,
                    "confirm": True,
                    "expand": WHOLE_PAYMENT,
                },
                _once(key),
            )
        return reading.payment_of(_plain(made))

    def write_invoice(self, wish: values.InvoiceWish, key: str) -> values.Invoice:
        """An open invoice with its lines; asked again with the key, it goes on where it was."""
        by_hand: stripe.params.InvoiceCreateParams = {"collection_method": "charge_automatically"}
        if wish.days is not None:
            by_hand = {"collection_method": "send_invoice", "days_until_due": wish.days}
        with _sorted():
            draft = self.client.v1.invoices.create(
                {
                    "customer": wish.customer,
                    "auto_advance": False,
                    "automatic_tax": {"enabled": True},
                    "description": wish.what,
                    "metadata": dict(wish.metadata),
                    **by_hand,
                    **({"default_payment_method": wish.method} if wish.method else {}),
                },
                _once(key),
            )
            for line in wish.lines:
                self._add_line(wish.customer, draft.id, line, f"{key}:{line.key}")
            done = self.client.v1.invoices.finalize_invoice(
                draft.id, {"auto_advance": False}, _once(f"{key}:finalize")
            )
        return reading.invoice_of(_plain(done))

    def _add_line(self, customer: str, invoice: str, line: values.Line, key: str) -> None:
        self.client.v1.invoice_items.create(
            {
                "customer": customer,
                "invoice": invoice,
                "amount": line.cents,
                "currency": "eur",
                "description": line.what,
                "period": {
                    "start": int(line.begins.timestamp()),
                    "end": int(line.ends.timestamp()),
                },
                "tax_behavior": "exclusive",
                "tax_code": TAX_CODE,
                "metadata": dict(line.metadata),
            },
            _once(key),
        )

    def collect(self, invoice: str, key: str) -> values.Invoice:
        """Charge an open invoice's card; Declined or NeedsAuthentication leave it open."""
        with _sorted():
            paid = self.client.v1.invoices.pay(invoice, {"off_session": True}, _once(key))
        return reading.invoice_of(_plain(paid))

    def send(self, invoice: str, key: str) -> values.Invoice:
        """Have Stripe mail it to its customer."""
        with _sorted():
            sent = self.client.v1.invoices.send_invoice(invoice, None, _once(key))
        return reading.invoice_of(_plain(sent))

    def credit(self, wish: values.CreditWish, key: str) -> values.CreditNote:
        """Take a part of an invoice back."""
        asked: stripe.params.CreditNoteCreateParams = {
            "invoice": wish.invoice,
            "amount": wish.cents,
            "memo": wish.reason,
            "metadata": dict(wish.metadata),
        }
        if wish.is_paid:
            asked["refund_amount"] = wish.cents
        with _sorted():
            made = self.client.v1.credit_notes.create(asked, _once(key))
        return reading.credit_note_of(_plain(made))

    def refund(
        self, payment: str, cents: int, key: str, metadata: values.Metadata
    ) -> values.Refund:
        """Gross cents of a payment, back to where they came from."""
        with _sorted():
            made = self.client.v1.refunds.create(
                {"payment_intent": payment, "amount": cents, "metadata": dict(metadata)},
                _once(key),
            )
        return reading.refund_of(_plain(made))

    def portal(self, customer: str, return_url: str) -> str:
        """The address of a page where the customer looks after cards and papers, for a while."""
        with _sorted():
            opened = self.client.v1.billing_portal.sessions.create(
                {"customer": customer, "return_url": return_url}
            )
        return opened.url

    def find(self, kind: str, uid: str, owner: str = "") -> values.Found | None:
        """The thing as it is now; None if it is gone, or of a kind that nobody here knows."""
        fetch = _FETCHES.get(kind)
        if fetch is None:
            return None
        try:
            with _sorted():
                return fetch(self.client, uid, owner)
        except Rejected as refusal:
            if refusal.code == GONE:
                return None
            raise

    def events(self, since: datetime, types: Sequence[str]) -> Iterator[values.Event]:
        """What happened from then on, the newest first; Stripe remembers thirty days."""
        with _sorted():
            found = self.client.v1.events.list(
                {"created": {"gte": int(since.timestamp())}, "types": list(types), "limit": 100}
            )
            for event in found.auto_paging_iter():
                yield reading.event_of(_plain(event))

    def event_in(self, raw: bytes, signature: str) -> values.Event:
        """What a webhook tells; Forged unless Stripe signed exactly these bytes, just now."""
        try:
            event = self.client.construct_event(raw, signature, self.secret, TOLERANCE)
        except (stripe.SignatureVerificationError, ValueError, LookupError, AttributeError) as no:
            raise Forged("forged", f"A webhook cannot be believed: {type(no).__name__}.") from None
        return reading.event_of(_plain(event))


@cache
def connect(key: str, secret: str, base: str, timeouts: tuple[float, float] = TIMEOUTS) -> Gateway:
    """A gateway with that secret key, to the API at `base`; "" is Stripe's own."""
    client = stripe.StripeClient(
        key,
        base_addresses={"api": base} if base else {},
        max_network_retries=RETRIES,
        http_client=stripe.new_default_http_client(timeout=timeouts),
    )
    return Gateway(client, secret)


Fetch = Callable[[stripe.StripeClient, str, str], values.Found]


def _customer(client: stripe.StripeClient, uid: str, _: str) -> values.Found:
    found = _plain(client.v1.customers.retrieve(uid))
    if found.get("deleted"):
        raise Rejected(GONE, f"The customer {uid} was deleted.")
    return reading.customer_of(found)


def _checkout(client: stripe.StripeClient, uid: str, _: str) -> values.Found:
    return reading.checkout_of(_plain(client.v1.checkout.sessions.retrieve(uid)))


def _payment_of_charge(client: stripe.StripeClient, uid: str, _: str) -> values.Found:
    """A charge is but a try: what is asked for is the payment that it belongs to."""
    intent = reading.text(_plain(client.v1.charges.retrieve(uid)), "payment_intent")
    return _payment(client, intent, "")


def _payment(client: stripe.StripeClient, uid: str, _: str) -> values.Found:
    found = client.v1.payment_intents.retrieve(uid, {"expand": WHOLE_PAYMENT})
    return reading.payment_of(_plain(found))


_FETCHES: Final[Mapping[str, Fetch]] = {
    "customer": _customer,
    "payment_method": lambda c, uid, _: reading.card_of(_plain(c.v1.payment_methods.retrieve(uid))),
    "checkout.session": _checkout,
    "payment_intent": _payment,
    "charge": _payment_of_charge,
    "setup_intent": lambda c, uid, _: reading.setup_of(_plain(c.v1.setup_intents.retrieve(uid))),
    "invoice": lambda c, uid, _: reading.invoice_of(_plain(c.v1.invoices.retrieve(uid))),
    "credit_note": lambda c, uid, _: reading.credit_note_of(
        _plain(c.v1.credit_notes.retrieve(uid))
    ),
    "refund": lambda c, uid, _: reading.refund_of(_plain(c.v1.refunds.retrieve(uid))),
    "dispute": lambda c, uid, _: reading.dispute_of(_plain(c.v1.disputes.retrieve(uid))),
    "tax_id": lambda c, uid, owner: reading.tax_id_of(
        _plain(c.v1.customers.tax_ids.retrieve(owner, uid))
    ),
}


def _plain(thing: stripe.StripeObject) -> Object:
    plain: dict[str, Json] = thing.to_dict()
    return plain


def _once(key: str) -> stripe.RequestOptions:
    return {"idempotency_key": key}


@contextmanager
def _sorted(*, gone_is_fine: bool = False) -> Iterator[None]:
    """Stripe's errors as ours."""
    try:
        yield
    except stripe.StripeError as error:
        if gone_is_fine and error.code == GONE:
            return
        raise _ours(error) from None


def _ours(error: stripe.StripeError) -> GatewayError:
    told, code = error.user_message or type(error).__name__, error.code or ""
    match error:
        case stripe.CardError():
            ours: GatewayError = _declined(error, told, code)
        case stripe.AuthenticationError() | stripe.PermissionError():
            ours = NeedsOperator(code or "unauthorized", f"Stripe refuses the farm's key: {told}")
        case stripe.RateLimitError():
            wait = (error.headers or {}).get("Retry-After", "")
            ours = Transient("rate_limit", told, retry_after=int(wait) if wait.isdigit() else None)
        case stripe.InvalidRequestError():
            ours = Rejected(code or "invalid", told, param=error.param or "")
        case stripe.IdempotencyError() if error.http_status != CONFLICT:
            ours = Rejected("idempotency", told)
        case _:
            ours = AnswerLost(code or "no_answer", f"Stripe gave no sure answer: {told}")
    return ours


def _declined(error: stripe.CardError, told: str, code: str) -> Declined:
    more = error.error
    word = (more.decline_code if more else None) or code
    payment = more.payment_intent.id if more and more.payment_intent else ""
    if code in ASKED:
        return NeedsAuthentication("authentication_required", told, payment=payment)
    return Declined(word, told, payment=payment)
