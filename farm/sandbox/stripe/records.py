"""What the payment house keeps of people and money: cents, and moments to the second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Address:
    """Where somebody is; "" for what is not known."""

    country: str = ""
    city: str = ""
    line1: str = ""
    line2: str = ""
    postal_code: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class Customer:
    """Who pays. `method` is the payment method that invoices are charged to."""

    id: int
    created: datetime
    email: str = ""
    name: str = ""
    description: str = ""
    phone: str = ""
    address: Address | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    method: int | None = None
    next_invoice: int = 1
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class TaxId:
    """A customer's VAT number."""

    id: int
    created: datetime
    customer: int
    type: str
    value: str
    country: str
    status: str
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """A card somebody gave; `number` is a test card's. `proven` once its owner was seen."""

    id: int
    created: datetime
    number: str
    email: str = ""
    name: str = ""
    country: str = ""
    customer: int | None = None
    proven: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)


class IntentStatus(StrEnum):
    """Where a payment, or the keeping of a card, is on its way."""

    NEEDS_METHOD = "requires_payment_method"
    NEEDS_CONFIRMATION = "requires_confirmation"
    NEEDS_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment on its way. `decline` is the bank's word for why the last try failed."""

    id: int
    created: datetime
    amount: int
    currency: str
    status: IntentStatus
    secret: str
    customer: int | None = None
    method: int | None = None
    description: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    future_usage: str = ""
    return_url: str = ""
    charge: int | None = None
    error: str = ""
    session: int | None = None
    invoice: int | None = None
    canceled: datetime | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """A card being kept for later payments."""

    id: int
    created: datetime
    status: IntentStatus
    secret: str
    customer: int | None = None
    method: int | None = None
    usage: str = "off_session"
    metadata: Mapping[str, str] = field(default_factory=dict)
    return_url: str = ""
    error: str = ""
    session: int | None = None
    canceled: datetime | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """One try at a card; `error` is why it failed, "" if it was paid."""

    id: int
    created: datetime
    intent: int
    amount: int
    currency: str
    method: int
    customer: int | None
    secret: str
    description: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    refunded: int = 0
    disputed: bool = False
    transaction: int | None = None


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back to the card it came from."""

    id: int
    created: datetime
    charge: int
    intent: int
    amount: int
    currency: str
    reason: str
    metadata: Mapping[str, str]
    transaction: int | None = None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A payment that the card's owner calls into question."""

    id: int
    created: datetime
    charge: int
    amount: int
    reason: str
    status: str
    due_by: datetime
    transactions: tuple[int, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Transaction:
    """One line of the account at the payment house: what came or went, and the fee it took."""

    id: int
    created: datetime
    amount: int
    fee: int
    currency: str
    type: str
    source: str
    description: str
    available_on: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """What is sold; `amount` is for all of `quantity`, `inclusive` if the tax is within."""

    description: str
    amount: int
    quantity: int = 1
    inclusive: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """A hosted checkout. `challenged` while the bank wants to see the card's owner."""

    id: int
    created: datetime
    expires: datetime
    mode: str
    currency: str
    status: str
    payment_status: str
    secret: str
    success_url: str
    cancel_url: str = ""
    lines: tuple[Line, ...] = ()
    customer: int | None = None
    creates_customer: bool = False
    email: str = ""
    reference: str = ""
    locale: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    intent_metadata: Mapping[str, str] = field(default_factory=dict)
    intent_description: str = ""
    future_usage: str = ""
    automatic_tax: bool = False
    collects_tax_id: bool = False
    makes_invoice: bool = False
    invoice_metadata: Mapping[str, str] = field(default_factory=dict)
    buyer_name: str = ""
    buyer_address: Address | None = None
    tax: int = 0
    intent: int | None = None
    setup: int | None = None
    invoice: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an invoice, or of the customer's next one."""

    id: int
    created: datetime
    customer: int
    amount: int
    currency: str
    invoice: int | None = None
    description: str = ""
    quantity: int = 1
    inclusive: bool = False
    begins: datetime | None = None
    ends: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """What a customer owes. Name, address and tax ids are those of when it was finalized."""

    id: int
    created: datetime
    customer: int
    currency: str
    secret: str
    status: str = "draft"
    auto_advance: bool = False
    collection: str = "charge_automatically"
    automatic_tax: bool = False
    due: datetime | None = None
    description: str = ""
    footer: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    method: int | None = None
    number: str = ""
    name: str = ""
    email: str = ""
    address: Address | None = None
    tax_ids: tuple[str, ...] = ()
    finalized: datetime | None = None
    paid: datetime | None = None
    voided: datetime | None = None
    uncollectible: datetime | None = None
    attempts: int = 0
    intent: int | None = None
    amount_paid: int = 0
    out_of_band: bool = False
    credited_before: int = 0
    credited_after: int = 0
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class CreditNote:
    """A part of an invoice taken back; `amount` with its tax."""

    id: int
    created: datetime
    invoice: int
    number: str
    secret: str
    amount: int
    tax: int
    description: str
    reason: str = ""
    memo: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    refund: int | None = None
    out_of_band: int = 0
    after_payment: bool = False
    voided: datetime | None = None


@dataclass(frozen=True, slots=True)
class Portal:
    """An hour in which the bearer of its address may look after a customer's cards and papers."""

    id: int
    created: datetime
    customer: int
    secret: str
    return_url: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened; `body` is the thing as it was then, in JSON."""

    id: int
    created: datetime
    type: str
    body: str
    request: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where webhooks go; `events` may be ("*",)."""

    id: int
    created: datetime
    url: str
    secret: str
    events: tuple[str, ...] = ("*",)
    description: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    deleted: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to an endpoint; `due` None: it arrived, or was given up."""

    id: int
    event: int
    endpoint: int
    due: datetime | None
    attempts: int = 0
    arrived: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """What a request with an idempotency key was answered; `digest` is of what it asked."""

    id: int
    key: str
    digest: str
    at: datetime
    status: int
    body: str
    request: str
