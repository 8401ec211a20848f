"""Stripe's objects read into values of our own; what a version leaves out reads as nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from farm.billing.gateway_values import (
    Card,
    Checkout,
    CheckoutStatus,
    CreditNote,
    Customer,
    Dispute,
    Event,
    Invoice,
    Metadata,
    Payment,
    Refund,
    Setup,
    TaxId,
)

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Object: TypeAlias = Mapping[str, Json]
LINE = "line"
"""In an item's metadata: our own name for it within its invoice."""


def text(shown: Object, key: str) -> str:
    """A string; "" for none. Of an object that was asked for in whole, its id."""
    value = shown.get(key)
    if isinstance(value, Mapping):
        return text(value, "id")
    return value if isinstance(value, str) else ""


def cents(shown: Object, key: str) -> int:
    """An amount; 0 for none."""
    value = shown.get(key)
    return value if isinstance(value, int) else 0


def moment(shown: Object, key: str) -> datetime:
    """When it was, by Stripe's clock."""
    return datetime.fromtimestamp(cents(shown, key), UTC)


def part(shown: Object, key: str) -> Object:
    """An object inside; an empty one for none."""
    value = shown.get(key)
    return value if isinstance(value, Mapping) else {}


def parts(shown: Object, key: str) -> list[Object]:
    """A list of objects."""
    value = shown.get(key)
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    return [one for one in value if isinstance(one, Mapping)]


def _metadata(shown: Object) -> Metadata:
    return {key: str(value) for key, value in part(shown, "metadata").items()}


def customer_of(shown: Object) -> Customer:
    """A customer."""
    return Customer(
        id=text(shown, "id"),
        email=text(shown, "email"),
        name=text(shown, "name"),
        country=text(part(shown, "address"), "country"),
        method=text(part(shown, "invoice_settings"), "default_payment_method"),
        metadata=_metadata(shown),
    )


def tax_id_of(shown: Object) -> TaxId:
    """A VAT id."""
    return TaxId(
        id=text(shown, "id"),
        value=text(shown, "value"),
        country=text(shown, "country"),
        status=text(part(shown, "verification"), "status"),
    )


def card_of(shown: Object) -> Card:
    """A kept card."""
    card = part(shown, "card")
    return Card(
        id=text(shown, "id"),
        customer=text(shown, "customer"),
        brand=text(card, "brand"),
        last4=text(card, "last4"),
        exp_month=cents(card, "exp_month"),
        exp_year=cents(card, "exp_year"),
    )


def _card_in(shown: Object, key: str) -> Card | None:
    """A card inside, where it was asked for in whole."""
    card = part(shown, key)
    return card_of(card) if card else None


def checkout_of(shown: Object) -> Checkout:
    """A hosted page."""
    total, tax = cents(shown, "amount_total"), cents(part(shown, "total_details"), "amount_tax")
    return Checkout(
        id=text(shown, "id"),
        url=text(shown, "url"),
        status=CheckoutStatus(text(shown, "status")),
        is_paid=text(shown, "payment_status") == "paid",
        customer=text(shown, "customer"),
        net=total - tax,
        tax=tax,
        total=total,
        payment=text(shown, "payment_intent"),
        setup=text(shown, "setup_intent"),
        invoice=text(shown, "invoice"),
        metadata=_metadata(shown),
    )


def payment_of(shown: Object) -> Payment:
    """A payment, with its charge and that one's line of the account in whole."""
    charge = part(shown, "latest_charge")
    line = part(charge, "balance_transaction")
    return Payment(
        id=text(shown, "id"),
        status=text(shown, "status"),
        cents=cents(shown, "amount"),
        currency=text(shown, "currency").upper(),
        customer=text(shown, "customer"),
        method=text(shown, "payment_method"),
        charge=text(shown, "latest_charge"),
        fee=cents(line, "fee") if line else None,
        refunded=cents(charge, "amount_refunded"),
        disputed=charge.get("disputed") is True,
        made_at=moment(shown, "created"),
        card=_card_in(shown, "payment_method"),
        metadata=_metadata(shown),
    )


def setup_of(shown: Object) -> Setup:
    """A card that was to be kept."""
    return Setup(
        id=text(shown, "id"),
        status=text(shown, "status"),
        customer=text(shown, "customer"),
        method=text(shown, "payment_method"),
        made_at=moment(shown, "created"),
        card=_card_in(shown, "payment_method"),
        metadata=_metadata(shown),
    )


def invoice_of(shown: Object) -> Invoice:
    """An invoice."""
    total = cents(shown, "total")
    tax = sum(cents(one, "amount") for one in parts(shown, "total_taxes"))
    return Invoice(
        id=text(shown, "id"),
        number=text(shown, "number"),
        status=text(shown, "status"),
        customer=text(shown, "customer"),
        net=total - tax,
        tax=tax,
        total=total,
        paid=cents(shown, "amount_paid"),
        remaining=cents(shown, "amount_remaining"),
        page=text(shown, "hosted_invoice_url"),
        pdf=text(shown, "invoice_pdf"),
        payment=_payment_in(parts(part(shown, "payments"), "data")),
        metadata=_metadata(shown),
    )


def _payment_in(tries: Sequence[Object]) -> str:
    """What paid an invoice; before that, what was tried last."""
    paid = [one for one in tries if text(one, "status") == "paid"] or tries
    return text(part(paid[0], "payment"), "payment_intent") if paid else ""


def line_key(shown: Object) -> str:
    """What we call an invoice's item."""
    return text(part(shown, "metadata"), LINE)


def credit_note_of(shown: Object) -> CreditNote:
    """A credit note."""
    refunds = parts(shown, "refunds")
    return CreditNote(
        id=text(shown, "id"),
        number=text(shown, "number"),
        invoice=text(shown, "invoice"),
        customer=text(shown, "customer"),
        net=cents(shown, "total_excluding_tax"),
        total=cents(shown, "total"),
        refund=text(refunds[0], "refund") if refunds else "",
        pdf=text(shown, "pdf"),
    )


def refund_of(shown: Object) -> Refund:
    """A refund."""
    return Refund(
        id=text(shown, "id"),
        status=text(shown, "status"),
        cents=cents(shown, "amount"),
        payment=text(shown, "payment_intent"),
        customer=text(part(shown, "payment_intent"), "customer"),
        charge=text(shown, "charge"),
        metadata=_metadata(shown),
    )


def dispute_of(shown: Object) -> Dispute:
    """A dispute."""
    lines = parts(shown, "balance_transactions")
    return Dispute(
        id=text(shown, "id"),
        status=text(shown, "status"),
        cents=cents(shown, "amount"),
        payment=text(shown, "payment_intent"),
        customer=text(part(shown, "payment_intent"), "customer"),
        charge=text(shown, "charge"),
        taken=-sum(cents(line, "net") for line in lines),
        fee=sum(cents(line, "fee") for line in lines),
    )


def event_of(shown: Object) -> Event:
    """An event: of the thing inside it only which one it is."""
    thing = part(part(shown, "data"), "object")
    return Event(
        id=text(shown, "id"),
        type=text(shown, "type"),
        created_at=moment(shown, "created"),
        kind=text(thing, "object"),
        subject=text(thing, "id"),
        owner=text(thing, "customer"),
    )
