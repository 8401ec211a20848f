"""Charges, checkouts, invoices and credit notes as the API shows them."""

from __future__ import annotations

from farm.sandbox.stripe.books import Books, uid, uid_or_none
from farm.sandbox.stripe.cards import CARDS, Card, Decline
from farm.sandbox.stripe.records import (
    Charge,
    Customer,
    Event,
    Intent,
    Invoice,
    Item,
    Line,
    Method,
    Session,
    Setup,
    Transaction,
)
from farm.sandbox.stripe.render import EXPIRY_YEAR, address_json, decline_of, seconds
from farm.sandbox.stripe.sums import items_of, line_tax, rate_of
from farm.sandbox.stripe.tax import Rate
from farm.sandbox.wire import Json, JsonObject

VERSION = "2026-10-28.endive"
NOT_USED = (
    "after_expiration",
    "allow_promotion_codes",
    "billing_address_collection",
    "client_secret",
    "collected_information",
    "consent",
    "consent_collection",
    "currency_conversion",
    "customer_account",
    "integration_identifier",
    "origin_context",
    "payment_link",
    "payment_method_configuration_details",
    "permissions",
    "recovered_from",
    "saved_payment_method_options",
    "shipping_address_collection",
    "shipping_cost",
    "submit_type",
    "subscription",
    "wallet_options",
)
"""What a checkout could have and none of these has."""
TEXTS = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")


def charge_json(books: Books, charge: Charge) -> JsonObject:
    """One try at a card."""
    method = books.methods[charge.method]
    decline = decline_of(charge.error) if charge.error else None
    paid = decline is None
    return {
        "id": uid(Charge, charge.id),
        "object": "charge",
        "amount": charge.amount,
        "amount_captured": charge.amount if paid else 0,
        "amount_refunded": charge.refunded,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": uid_or_none(Transaction, charge.transaction),
        "billing_details": _billing(method),
        "calculated_statement_descriptor": "SANDBOX",
        "captured": paid,
        "created": seconds(charge.created),
        "currency": charge.currency,
        "customer": uid_or_none(Customer, charge.customer),
        "description": charge.description or None,
        "disputed": charge.disputed,
        "failure_balance_transaction": None,
        "failure_code": decline.code if decline else None,
        "failure_message": decline.message if decline else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": charge.metadata,
        "on_behalf_of": None,
        "outcome": _outcome(decline),
        "paid": paid,
        "payment_intent": uid(Intent, charge.intent),
        "payment_method": uid(Method, charge.method),
        "payment_method_details": _card(CARDS[method.number]),
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": f"{books.site}/receipts/{charge.secret}",
        "refunded": charge.refunded == charge.amount,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded" if paid else "failed",
        "transfer_data": None,
        "transfer_group": None,
    }


def _billing(method: Method) -> JsonObject:
    return {
        "address": address_json(None),
        "email": method.email or None,
        "name": method.name or None,
        "phone": None,
        "tax_id": None,
    }


def _outcome(decline: Decline | None) -> JsonObject:
    paid = decline is None
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network" if paid else "declined_by_network",
        "reason": decline.decline_code or None if decline else None,
        "risk_level": "normal",
        "seller_message": "Payment complete." if paid else "The bank declined.",
        "type": "authorized" if paid else "issuer_declined",
    }


def _card(card: Card) -> JsonObject:
    told: JsonObject = {
        "brand": card.brand,
        "country": card.country,
        "exp_month": 12,
        "exp_year": EXPIRY_YEAR,
        "funding": "credit",
        "last4": card.last4,
        "network": card.brand,
        "three_d_secure": None,
        "wallet": None,
    }
    return {"card": told, "type": "card"}


def _automatic_tax(*, enabled: bool) -> JsonObject:
    return {
        "enabled": enabled,
        "liability": {"type": "self"} if enabled else None,
        "provider": "stripe" if enabled else None,
        "status": "complete" if enabled else None,
    }


def session_json(books: Books, session: Session) -> JsonObject:
    """A hosted checkout."""
    net = sum(line.amount for line in session.lines)
    paying = session.mode == "payment"
    added = sum(
        0 if line.inclusive else line_tax(line, rate_of(books, session)) for line in session.lines
    )
    return {
        "id": uid(Session, session.id),
        "object": "checkout.session",
        **dict.fromkeys(NOT_USED),
        "adaptive_pricing": {"enabled": False} if paying else None,
        "amount_subtotal": net if paying else None,
        "amount_total": net + added if paying else None,
        "automatic_tax": _automatic_tax(enabled=session.automatic_tax),
        "cancel_url": session.cancel_url or None,
        "client_reference_id": session.reference or None,
        "created": seconds(session.created),
        "currency": session.currency or None,
        "custom_fields": [],
        "custom_text": dict.fromkeys(TEXTS),
        "customer": uid_or_none(Customer, session.customer),
        "customer_creation": "always" if session.creates_customer else "if_required",
        "customer_details": _buyer(session),
        "customer_email": session.email or None,
        "discounts": [] if paying else None,
        "expires_at": seconds(session.expires),
        "invoice": uid_or_none(Invoice, session.invoice),
        "invoice_creation": _invoice_creation(session) if paying else None,
        "livemode": False,
        "locale": session.locale or None,
        "metadata": session.metadata,
        "mode": session.mode,
        "payment_intent": uid_or_none(Intent, session.intent),
        "payment_method_collection": "always",
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": session.payment_status,
        "phone_number_collection": {"enabled": False},
        "setup_intent": uid_or_none(Setup, session.setup),
        "shipping_options": [],
        "status": session.status,
        "success_url": session.success_url,
        "tax_id_collection": {"enabled": session.collects_tax_id, "required": "never"},
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": session.tax}
        if paying
        else None,
        "ui_mode": "hosted_page",
        "url": f"{books.site}/c/pay/{session.secret}" if session.status == "open" else None,
    }


def _buyer(session: Session) -> JsonObject | None:
    if not session.email and session.buyer_address is None:
        return None
    return {
        "address": address_json(session.buyer_address) if session.buyer_address else None,
        "business_name": None,
        "email": session.email or None,
        "individual_name": None,
        "name": session.buyer_name or None,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": None,
    }


def _invoice_creation(session: Session) -> JsonObject:
    return {
        "enabled": session.makes_invoice,
        "invoice_data": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": None,
            "footer": None,
            "issuer": None,
            "metadata": session.invoice_metadata,
            "rendering_options": None,
        },
    }


def session_line_json(books: Books, session: Session, place: int, line: Line) -> JsonObject:
    """One thing that a checkout sells."""
    tax = line_tax(line, rate_of(books, session))
    net = line.amount
    return {
        "id": f"li_1S{session.id:08d}{place}",
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": net,
        "amount_tax": tax,
        "amount_total": net if line.inclusive else net + tax,
        "currency": session.currency,
        "description": line.description,
        "metadata": {},
        "price": None,
        "quantity": line.quantity,
    }


def item_json(_: Books, item: Item) -> JsonObject:
    """A line of an invoice before it is one."""
    unit = {"type": "price_details", "unit_amount_decimal": str(item.amount // item.quantity)}
    return {
        "id": uid(Item, item.id),
        "object": "invoiceitem",
        "amount": item.amount,
        "currency": item.currency,
        "customer": uid(Customer, item.customer),
        "customer_account": None,
        "date": seconds(item.created),
        "description": item.description or None,
        "discountable": True,
        "discounts": [],
        "invoice": uid_or_none(Invoice, item.invoice),
        "livemode": False,
        "metadata": item.metadata,
        "net_amount": item.amount,
        "parent": None,
        "period": {
            "end": seconds(item.ends or item.created),
            "start": seconds(item.begins or item.created),
        },
        "pricing": unit,
        "proration": False,
        "quantity": item.quantity,
        "quantity_decimal": str(item.quantity),
        "tax_rates": [],
        "test_clock": None,
    }


def tax_json(rate: Rate, tax: int, net: int, *, inclusive: bool) -> JsonObject:
    """What there is of VAT in a line, and why."""
    return {
        "amount": tax,
        "tax_behavior": "inclusive" if inclusive else "exclusive",
        "tax_rate_details": {"tax_rate": f"txr_{rate.country}{rate.percent.replace('.', 'p')}"},
        "taxability_reason": rate.reason.value,
        "taxable_amount": net,
        "type": "tax_rate_details",
    }


def _invoice_line(item: Item, invoice: Invoice, rate: Rate | None) -> JsonObject:
    line = Line(item.description, item.amount, item.quantity, item.inclusive)
    tax = line_tax(line, rate)
    net = item.amount - tax if item.inclusive else item.amount
    taxes: list[Json] = [tax_json(rate, tax, net, inclusive=item.inclusive)] if rate else []
    return {
        "id": f"il_1S{item.id:08d}",
        "object": "line_item",
        "amount": item.amount,
        "currency": item.currency,
        "description": item.description or None,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": uid(Invoice, invoice.id),
        "livemode": False,
        "metadata": item.metadata,
        "parent": {
            "invoice_item_details": {
                "invoice_item": uid(Item, item.id),
                "proration": False,
                "proration_details": None,
                "subscription": None,
            },
            "subscription_item_details": None,
            "type": "invoice_item_details",
        },
        "period": {
            "end": seconds(item.ends or item.created),
            "start": seconds(item.begins or item.created),
        },
        "pretax_credit_amounts": [],
        "pricing": {
            "type": "price_details",
            "unit_amount_decimal": str(item.amount // item.quantity),
        },
        "quantity": item.quantity,
        "quantity_decimal": str(item.quantity),
        "subscription": None,
        "subtotal": item.amount,
        "taxes": taxes,
    }


def invoice_lines(books: Books, invoice: Invoice) -> list[Json]:
    """All lines of an invoice."""
    rate = rate_of(books, invoice)
    return [_invoice_line(item, invoice, rate) for item in items_of(books, invoice)]


def event_json(books: Books, event: Event, body: JsonObject) -> JsonObject:
    """What happened, and the thing as it was then."""
    waiting = sum(1 for one in books.deliveries if one.event == event.id and one.due is not None)
    return {
        "id": uid(Event, event.id),
        "object": "event",
        "api_version": VERSION,
        "created": seconds(event.created),
        "data": {"object": body},
        "livemode": False,
        "pending_webhooks": waiting,
        "request": {"id": event.request or None, "idempotency_key": event.key or None},
        "type": event.type,
    }
