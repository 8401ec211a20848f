"""What becomes of hosted checkouts: filled in, declined, challenged, paid, expired."""

from __future__ import annotations

from dataclasses import dataclass, replace

from farm.sandbox.stripe.books import Books, secret
from farm.sandbox.stripe.cards import CARDS
from farm.sandbox.stripe.errors import ApiError, not_now
from farm.sandbox.stripe.house import House
from farm.sandbox.stripe.invoicing import finalize, paid_by, settle
from farm.sandbox.stripe.payments import Owner, confirm, confirm_setup, keep_card, prove
from farm.sandbox.stripe.records import (
    Address,
    Customer,
    Intent,
    IntentStatus,
    Invoice,
    Item,
    Session,
    Setup,
)
from farm.sandbox.stripe.shown import CUSTOMERS, INTENTS, INVOICES, SESSIONS, SETUPS
from farm.sandbox.stripe.sums import Sums, rate_of, sums_of
from farm.sandbox.stripe.tax import country_of_vat
from farm.sandbox.stripe.tax_ids import add_tax_id


@dataclass(frozen=True, slots=True)
class Filled:
    """What a buyer typed in."""

    number: str
    email: str
    name: str
    country: str
    vat_id: str = ""


class Refusal(Exception):  # noqa: N818
    """The page shows this sentence, and the buyer may try again."""


def due(books: Books, session: Session) -> Sums:
    """What the buyer is to pay."""
    return sums_of(session.lines, rate_of(books, session))


def is_open(house: House, session: Session) -> bool:
    """Whether it can still be paid; one past its hour expires when somebody looks."""
    if session.status == "open" and session.expires <= house.books.now():
        expire(house, session)
        return False
    return session.status == "open"


def expire(house: House, session: Session) -> Session:
    """Nobody can pay it any more."""
    if session.status != "open":
        sentence = "Only Checkout Sessions with a status in ['open'] can be expired. This is a"
        raise not_now(f"{sentence} {session.status} one.")
    gone = house.books.sessions.put(replace(session, status="expired"))
    return house.tell("checkout.session.expired", SESSIONS, gone)


def fill_in(house: House, session: Session, filled: Filled) -> Session:
    """Pay, or keep the card; Refusal tells the buyer why not.

    Afterwards it is complete, or its payment or card waits for what the bank's page says.
    """
    number = "".join(filled.number.split())
    if number not in CARDS:
        raise Refusal("Your card number is invalid: this house knows Stripe's test cards only.")
    if not filled.email or not filled.country:
        raise Refusal("Your email and your country are incomplete.")
    session = _with_buyer(house, session, filled)
    card = keep_card(house, number, Owner(filled.email, filled.name, filled.country))
    try:
        if session.mode == "setup":
            return _keep(house, session, card.id)
        return _pay(house, session, card.id)
    except ApiError as refusal:
        raise Refusal(refusal.message) from None


def _with_buyer(house: House, session: Session, filled: Filled) -> Session:
    books = house.books
    if filled.vat_id and country_of_vat(filled.vat_id) is None:
        raise Refusal("Your tax ID is invalid.")
    known = books.customers.get(session.customer)
    address = Address(country=filled.country)
    if known is None and (session.creates_customer or session.makes_invoice):
        known = books.customers.put(Customer(books.next_id(), books.now(), filled.email))
        house.tell("customer.created", CUSTOMERS, known)
    if known:
        # As customer_update asks for with "auto": where the buyer is decides over the tax.
        known = replace(known, address=address, name=filled.name or known.name)
        house.tell("customer.updated", CUSTOMERS, books.customers.put(known))
        if filled.vat_id and session.collects_tax_id:
            add_tax_id(house, known, "eu_vat", filled.vat_id)
    return books.sessions.put(
        replace(
            session,
            customer=known.id if known else None,
            email=session.email or filled.email,
            buyer_name=filled.name,
            buyer_address=address,
        )
    )


def _keep(house: House, session: Session, card: int) -> Session:
    books = house.books
    known = books.setups.get(session.setup)
    setup = books.setups.put(replace(known, method=card) if known else _setup(books, session, card))
    session = books.sessions.put(replace(session, setup=setup.id))
    if known is None:
        house.tell("setup_intent.created", SETUPS, setup)
    return after_setup(house, session, confirm_setup(house, setup))


def _setup(books: Books, session: Session, card: int) -> Setup:
    return Setup(
        id=books.next_id(),
        created=books.now(),
        status=IntentStatus.NEEDS_CONFIRMATION,
        secret=secret(),
        customer=session.customer,
        method=card,
        metadata=session.intent_metadata,
        session=session.id,
    )


def _pay(house: House, session: Session, card: int) -> Session:
    books, sums = house.books, due(house.books, session)
    known = books.intents.get(session.intent)
    intent = books.intents.put(
        Intent(
            id=known.id if known else books.next_id(),
            created=known.created if known else books.now(),
            amount=sums.total,
            currency=session.currency,
            status=IntentStatus.NEEDS_CONFIRMATION,
            secret=known.secret if known else secret(),
            customer=session.customer,
            method=card,
            description=session.intent_description,
            metadata=session.intent_metadata,
            future_usage=session.future_usage,
            session=session.id,
        )
    )
    session = books.sessions.put(replace(session, intent=intent.id, tax=sums.tax))
    if known is None:
        house.tell("payment_intent.created", INTENTS, intent)
    return after_payment(house, session, confirm(house, intent))


def after_payment(house: House, session: Session, intent: Intent) -> Session:
    """Complete, once the payment has come about."""
    if intent.status is not IntentStatus.SUCCEEDED:
        return session
    paper = _invoice(house, session, intent) if session.makes_invoice else None
    done = replace(
        session,
        status="complete",
        payment_status="paid",
        invoice=paper.id if paper else None,
    )
    return house.tell("checkout.session.completed", SESSIONS, house.books.sessions.put(done))


def after_setup(house: House, session: Session, setup: Setup) -> Session:
    """Complete, once the card is kept."""
    if setup.status is not IntentStatus.SUCCEEDED:
        return session
    done = replace(session, status="complete", payment_status="no_payment_required")
    return house.tell("checkout.session.completed", SESSIONS, house.books.sessions.put(done))


def _invoice(house: House, session: Session, intent: Intent) -> Invoice:
    """The paper that the buyer gets for what is paid already."""
    books = house.books
    draft = books.invoices.put(
        Invoice(
            id=books.next_id(),
            created=books.now(),
            customer=session.customer or 0,
            currency=session.currency,
            secret=secret(),
            automatic_tax=session.automatic_tax,
            metadata=session.invoice_metadata,
        )
    )
    for line in session.lines:
        books.items.put(
            Item(
                id=books.next_id(),
                created=books.now(),
                customer=draft.customer,
                amount=line.amount,
                currency=session.currency,
                invoice=draft.id,
                description=line.description,
                quantity=line.quantity,
                inclusive=line.inclusive,
            )
        )
    house.tell("invoice.created", INVOICES, draft)
    return settle(house, finalize(house, draft), intent)


def answer_bank(house: House, intent: Intent, *, approved: bool) -> str:
    """What the bank's page said of a payment; where the buyer goes on, "" for nowhere.

    Refusal where there is no payment in the end; a checkout can then be filled in anew.
    """
    session = house.books.sessions.get(intent.session)
    try:
        after = prove(house, intent, approved=approved)
    except ApiError as refusal:
        if session is None:
            return intent.return_url
        raise Refusal(refusal.message) from None
    paid_by(house, after)
    if session is None:
        return intent.return_url
    return after_url(house, after_payment(house, session, after))


def answer_bank_of_setup(house: House, setup: Setup, *, approved: bool) -> str:
    """The same of a card that is to be kept."""
    session = house.books.sessions.get(setup.session)
    try:
        after = confirm_setup(house, setup, proven=approved)
    except ApiError as refusal:
        if session is None:
            return setup.return_url
        raise Refusal(refusal.message) from None
    if session is None:
        return setup.return_url
    return after_url(house, after_setup(house, session, after))


def after_url(house: House, session: Session) -> str:
    """Where a checkout leads once it is complete; its own page until then."""
    if session.status != "complete":
        return f"{house.books.site}/c/pay/{session.secret}"
    return f"{house.books.site}/c/pay/{session.secret}/done"
