"""People, cards and payments as the API shows them."""

from __future__ import annotations

from datetime import datetime

from farm.sandbox.stripe.books import Books, uid, uid_or_none
from farm.sandbox.stripe.cards import CARDS, DECLINES, NO_CARD, UNPROVEN, Card, Decline
from farm.sandbox.stripe.records import (
    Address,
    Charge,
    Customer,
    Dispute,
    Endpoint,
    Intent,
    IntentStatus,
    Method,
    Portal,
    Refund,
    Setup,
    TaxId,
    Transaction,
)
from farm.sandbox.wire import Json, JsonObject

EXPIRY_YEAR = 2040


def seconds(at: datetime | None) -> int | None:
    """A moment as the API tells it."""
    return None if at is None else int(at.timestamp())


def listed(data: list[Json], url: str, *, has_more: bool = False) -> JsonObject:
    """A list as the API wraps it."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def address_json(address: Address | None) -> JsonObject:
    """An address; nothing known is null."""
    known = address or Address()
    names = ("city", "country", "line1", "line2", "postal_code", "state")
    return {name: getattr(known, name) or None for name in names}


def customer_json(_: Books, customer: Customer) -> JsonObject:
    """A customer."""
    named = f"{customer.id:08d}"
    return {
        "id": uid(Customer, customer.id),
        "object": "customer",
        "address": address_json(customer.address) if customer.address else None,
        "balance": 0,
        "created": seconds(customer.created),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": customer.description or None,
        "discount": None,
        "email": customer.email or None,
        "invoice_prefix": f"S{named[-7:]}",
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": uid_or_none(Method, customer.method),
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": customer.metadata,
        "name": customer.name or None,
        "next_invoice_sequence": customer.next_invoice,
        "phone": customer.phone or None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def tax_id_json(_: Books, tax_id: TaxId) -> JsonObject:
    """A VAT number and what the tax office said."""
    customer = uid(Customer, tax_id.customer)
    return {
        "id": uid(TaxId, tax_id.id),
        "object": "tax_id",
        "country": tax_id.country,
        "created": seconds(tax_id.created),
        "customer": customer,
        "customer_account": None,
        "livemode": False,
        "owner": {"customer": customer, "customer_account": None, "type": "customer"},
        "type": tax_id.type,
        "value": tax_id.value,
        "verification": {
            "status": tax_id.status,
            "verified_address": None,
            "verified_name": None,
        },
    }


def method_json(_: Books, method: Method) -> JsonObject:
    """A card."""
    return {
        "id": uid(Method, method.id),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": _billing(method),
        "card": {
            **_card(CARDS[method.number]),
            "display_brand": CARDS[method.number].brand,
            "generated_from": None,
            "networks": {"available": [CARDS[method.number].brand], "preferred": None},
            "three_d_secure_usage": {"supported": True},
        },
        "created": seconds(method.created),
        "customer": uid_or_none(Customer, method.customer),
        "customer_account": None,
        "livemode": False,
        "metadata": method.metadata,
        "type": "card",
    }


def _card(card: Card) -> dict[str, Json]:
    return {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "pass",
        },
        "country": card.country,
        "exp_month": 12,
        "exp_year": EXPIRY_YEAR,
        "fingerprint": f"fp{card.number[::-1]}",
        "funding": "credit",
        "last4": card.last4,
        "regulated_status": "unregulated",
        "wallet": None,
    }


def _billing(method: Method) -> JsonObject:
    return {
        "address": address_json(Address(country=method.country)),
        "email": method.email or None,
        "name": method.name or None,
        "phone": None,
        "tax_id": None,
    }


def decline_of(error: str) -> Decline:
    """Why a try failed, by the word that is on record."""
    return DECLINES.get(error) or (UNPROVEN if error == UNPROVEN.code else NO_CARD)


def error_json(books: Books, error: str, method: int | None) -> JsonObject | None:
    """`last_payment_error` and `last_setup_error`."""
    if not error:
        return None
    decline = decline_of(error)
    told: dict[str, Json] = {"code": decline.code, "message": decline.message, "type": "card_error"}
    if decline.decline_code:
        told["decline_code"] = decline.decline_code
    if kept := books.methods.get(method):
        told["payment_method"] = method_json(books, kept)
    return told


def _next_action(books: Books, intent: Intent | Setup) -> JsonObject | None:
    if intent.status is not IntentStatus.NEEDS_ACTION:
        return None
    where = f"{books.site}/3ds/{intent.secret}"
    told: JsonObject = {"return_url": intent.return_url or None, "url": where}
    return {"redirect_to_url": told, "type": "redirect_to_url"}


def intent_json(books: Books, intent: Intent) -> JsonObject:
    """A payment on its way."""
    number = uid(Intent, intent.id)
    paid = intent.status is IntentStatus.SUCCEEDED
    return {
        "id": number,
        "object": "payment_intent",
        "amount": intent.amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": intent.amount if paid else 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": seconds(intent.canceled),
        "cancellation_reason": None,
        "capture_method": "automatic",
        "client_secret": f"{number}_secret_{intent.secret}",
        "confirmation_method": "automatic",
        "created": seconds(intent.created),
        "currency": intent.currency,
        "customer": uid_or_none(Customer, intent.customer),
        "customer_account": None,
        "description": intent.description or None,
        "excluded_payment_method_types": None,
        "last_payment_error": error_json(books, intent.error, intent.method),
        "latest_charge": uid_or_none(Charge, intent.charge),
        "livemode": False,
        "metadata": intent.metadata,
        "next_action": _next_action(books, intent),
        "on_behalf_of": None,
        "payment_method": None if intent.error else uid_or_none(Method, intent.method),
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": intent.future_usage or None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": intent.status.value,
        "transfer_data": None,
        "transfer_group": None,
    }


def setup_json(books: Books, setup: Setup) -> JsonObject:
    """A card being kept."""
    number = uid(Setup, setup.id)
    return {
        "id": number,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": f"{number}_secret_{setup.secret}",
        "created": seconds(setup.created),
        "customer": uid_or_none(Customer, setup.customer),
        "customer_account": None,
        "description": None,
        "excluded_payment_method_types": None,
        "flow_directions": None,
        "last_setup_error": error_json(books, setup.error, setup.method),
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": setup.metadata,
        "next_action": _next_action(books, setup),
        "on_behalf_of": None,
        "payment_method": None if setup.error else uid_or_none(Method, setup.method),
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "single_use_mandate": None,
        "status": setup.status.value,
        "usage": setup.usage,
    }


def refund_json(_: Books, refund: Refund) -> JsonObject:
    """Money given back."""
    return {
        "id": uid(Refund, refund.id),
        "object": "refund",
        "amount": refund.amount,
        "balance_transaction": uid_or_none(Transaction, refund.transaction),
        "charge": uid(Charge, refund.charge),
        "created": seconds(refund.created),
        "currency": refund.currency,
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": refund.metadata,
        "payment_intent": uid(Intent, refund.intent),
        "reason": refund.reason or None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def transaction_json(_: Books, line: Transaction) -> JsonObject:
    """A line of the account."""
    fee: JsonObject = {
        "amount": line.fee,
        "application": None,
        "currency": line.currency,
        "description": "Stripe processing fees",
        "type": "stripe_fee",
    }
    return {
        "id": uid(Transaction, line.id),
        "object": "balance_transaction",
        "amount": line.amount,
        "available_on": seconds(line.available_on),
        "balance_type": "payments",
        "created": seconds(line.created),
        "currency": line.currency,
        "description": line.description or None,
        "exchange_rate": None,
        "fee": line.fee,
        "fee_details": [fee] if line.fee else [],
        "net": line.amount - line.fee,
        "reporting_category": "dispute" if line.type == "adjustment" else line.type,
        "source": line.source,
        "status": "available",
        "type": line.type,
    }


def portal_json(books: Books, portal: Portal) -> JsonObject:
    """A way into the portal."""
    return {
        "id": uid(Portal, portal.id),
        "object": "billing_portal.session",
        "configuration": "bpc_1S00000001",
        "created": seconds(portal.created),
        "customer": uid(Customer, portal.customer),
        "customer_account": None,
        "flow": None,
        "livemode": False,
        "locale": None,
        "on_behalf_of": None,
        "return_url": portal.return_url or None,
        "url": f"{books.site}/p/session/{portal.secret}",
    }


def endpoint_json(_: Books, endpoint: Endpoint) -> JsonObject:
    """Where webhooks go; its secret is told at its creation alone."""
    return {
        "id": uid(Endpoint, endpoint.id),
        "object": "webhook_endpoint",
        "api_version": None,
        "application": None,
        "created": seconds(endpoint.created),
        "description": endpoint.description or None,
        "enabled_events": list(endpoint.events),
        "livemode": False,
        "metadata": endpoint.metadata,
        "status": "enabled",
        "url": endpoint.url,
    }


def dispute_json(books: Books, dispute: Dispute) -> JsonObject:
    """A payment called into question."""
    charge = books.charges[dispute.charge]
    lines = (books.transactions.get(number) for number in dispute.transactions)
    return {
        "id": uid(Dispute, dispute.id),
        "object": "dispute",
        "amount": dispute.amount,
        "balance_transactions": [transaction_json(books, line) for line in lines if line],
        "charge": uid(Charge, dispute.charge),
        "created": seconds(dispute.created),
        "currency": charge.currency,
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {
            "due_by": seconds(dispute.due_by),
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": dispute.metadata,
        "payment_intent": uid(Intent, charge.intent),
        "payment_method_details": {
            "card": {
                "brand": "visa",
                "case_type": "chargeback",
                "network": "visa",
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": dispute.reason,
        "status": dispute.status,
    }
