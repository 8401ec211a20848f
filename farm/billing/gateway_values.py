"""What goes to the payment house and comes back, as values of our own: cents, aware moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

Metadata = Mapping[str, str]
"""Our own ids beside theirs: whatever we make carries them."""


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who pays, as papers name them. `country` is two letters, "" where nobody knows."""

    email: str
    name: str
    country: str = ""
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Customer:
    """The same person there; `method` is the card that is charged, "" for none."""

    id: str
    email: str
    name: str
    country: str
    method: str
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class TaxId:
    """A VAT id; `status` is what the tax office says: pending, verified or unverified."""

    id: str
    value: str
    country: str
    status: str


@dataclass(frozen=True, slots=True)
class Card:
    """A card, as people know it; `customer` is who keeps it, "" for nobody any more."""

    id: str
    customer: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int


@dataclass(frozen=True, slots=True)
class TopUp:
    """Net cents to be paid on a hosted page, by default with VAT on top; the card is kept.

    In `success_url` the page puts the checkout's id where {CHECKOUT_SESSION_ID} stands.
    """

    customer: str
    cents: int
    what: str
    success_url: str
    cancel_url: str
    language: str = "auto"
    metadata: Metadata = field(default_factory=dict)
    with_vat: bool = True


@dataclass(frozen=True, slots=True)
class CardWish:
    """A card to be kept, without a payment."""

    customer: str
    success_url: str
    cancel_url: str
    language: str = "auto"
    metadata: Metadata = field(default_factory=dict)


class CheckoutStatus(StrEnum):
    """Where a hosted page is on its way."""

    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Checkout:
    """A hosted page; `url` is "" once it is over. `net`, `tax`, `total` in cents, 0 for a card."""

    id: str
    url: str
    status: CheckoutStatus
    is_paid: bool
    customer: str
    net: int
    tax: int
    total: int
    payment: str
    setup: str
    invoice: str
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment; `status` is Stripe's. `fee` is what the house kept; None while nobody knows.

    `card` is the method in whole, where it was asked for.
    """

    id: str
    status: str
    cents: int
    currency: str
    customer: str
    method: str
    charge: str
    fee: int | None
    refunded: int
    disputed: bool
    made_at: datetime
    card: Card | None
    metadata: Metadata

    @property
    def succeeded(self) -> bool:
        """Whether the money came."""
        return self.status == "succeeded"


@dataclass(frozen=True, slots=True)
class Setup:
    """A card that was, or was to be, kept; `card` is the same in whole, where it was asked for."""

    id: str
    status: str
    customer: str
    method: str
    made_at: datetime
    card: Card | None
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an invoice, net; `key` is our own name for it within the invoice."""

    key: str
    cents: int
    what: str
    begins: datetime
    ends: datetime
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InvoiceWish:
    """An invoice with VAT on top. `method` "" for the customer's own card.

    With `days` it is to be paid by hand within so many days, else its card is charged.
    """

    customer: str
    lines: Sequence[Line]
    what: str
    method: str = ""
    days: int | None = None
    with_vat: bool = True
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice; `status` is draft, open, paid, void or uncollectible. Cents.

    `payment` is what paid it, or was tried; "" for none, and in answers that do not tell.
    """

    id: str
    number: str
    status: str
    customer: str
    net: int
    tax: int
    total: int
    paid: int
    remaining: int
    page: str
    pdf: str
    payment: str
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class CreditWish:
    """Gross cents of an invoice taken back; of a paid one they go to where they came from."""

    invoice: str
    cents: int
    reason: str
    is_paid: bool
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CreditNote:
    """A part of an invoice taken back; `refund` is the money's way, "" where none was due."""

    id: str
    number: str
    invoice: str
    customer: str
    net: int
    total: int
    refund: str
    pdf: str


@dataclass(frozen=True, slots=True)
class Refund:
    """Cents on their way to the card they came from; `customer` where it was asked for."""

    id: str
    status: str
    cents: int
    payment: str
    customer: str
    charge: str
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class Dispute:
    """A payment called into question; `status` is Stripe's, closed as won or lost.

    `taken` is what it cost so far, with `fee`; both in cents. `customer` where it was asked for.
    """

    id: str
    status: str
    cents: int
    payment: str
    customer: str
    charge: str
    taken: int
    fee: int


Found = (
    Customer | Card | Checkout | Payment | Setup | Invoice | CreditNote | Refund | Dispute | TaxId
)
"""Whatever an event was about, as it is now."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened there to the thing `kind` `subject`: look what it is now.

    `owner` is whose it is, where the thing is known only as somebody's.
    """

    id: str
    type: str
    created_at: datetime
    kind: str
    subject: str
    owner: str = ""
