"""What becomes of cards: kept, charged, proven, declined, given back, called into question."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from farm.sandbox.stripe.books import Books, secret, uid
from farm.sandbox.stripe.cards import CARDS, TOKENS, UNPROVEN, Challenge, Decline
from farm.sandbox.stripe.errors import declined, invalid, no_such, not_now
from farm.sandbox.stripe.house import House
from farm.sandbox.stripe.records import (
    Charge,
    Dispute,
    Intent,
    IntentStatus,
    Method,
    Refund,
    Setup,
)
from farm.sandbox.stripe.render import decline_of
from farm.sandbox.stripe.shown import CHARGES, DISPUTES, INTENTS, METHODS, REFUNDS, SETUPS

FEE_PERCENT, FEE_CENTS, DISPUTE_FEE = Decimal("1.5"), 25, 2000
ANSWER_WITHIN = timedelta(days=7)
AUTHENTICATION = "authentication_required"


@dataclass(frozen=True, slots=True)
class Owner:
    """Who gave a card, as the page or the call tells."""

    email: str = ""
    name: str = ""
    country: str = ""


def fee_on(amount: int) -> int:
    """What the house keeps of a payment with a European card, in cents."""
    part = (Decimal(amount) * FEE_PERCENT / 100).quantize(Decimal(1), ROUND_HALF_UP)
    return int(part) + FEE_CENTS


def keep_card(house: House, number: str, owner: Owner) -> Method:
    """A test card that somebody types in; nobody's as yet."""
    books = house.books
    method = Method(
        id=books.next_id(),
        created=books.now(),
        number=number,
        email=owner.email,
        name=owner.name,
        country=owner.country,
    )
    return books.methods.put(method)


def method_named(house: House, text: str, param: str) -> Method:
    """The card of that id, or a fresh one by the name of a test card."""
    if text in TOKENS:
        return keep_card(house, TOKENS[text], Owner())
    return METHODS.find(house.books, text, param)


def attach(house: House, method: Method, customer: int) -> Method:
    """Keep the card for the customer; 402 for one that its bank lets nobody keep."""
    card = CARDS[method.number]
    if method.customer not in (None, customer):
        raise not_now(
            "The payment method you provided has already been attached to a customer.",
            "payment_method_unexpected_state",
        )
    if card.decline and not card.saves and card.challenge is Challenge.NEVER:
        raise declined(decline_of(card.decline), {})
    kept = house.books.methods.put(replace(method, customer=customer))
    return house.tell("payment_method.attached", METHODS, kept)


def detach(house: House, method: Method) -> Method:
    """Keep it no longer; invoices are charged to it no more."""
    books = house.books
    customer = books.customers.get(method.customer)
    if customer is None:
        raise not_now("The payment method you provided is not attached to a customer.")
    if customer.method == method.id:
        books.customers.put(replace(customer, method=None))
    gone = books.methods.put(replace(method, customer=None))
    return house.tell("payment_method.detached", METHODS, gone)


def confirm(house: House, intent: Intent, *, off_session: bool = False) -> Intent:
    """Try the card. Off-session a bank that wants to see somebody refuses; else a page waits.

    402 with the payment intent where it fails.
    """
    method = house.books.methods.get(intent.method)
    if method is None:
        raise not_now(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            "payment_intent_unexpected_state",
        )
    card = CARDS[method.number]
    asks = card.challenge is Challenge.ALWAYS or (
        card.challenge is Challenge.UNLESS_SAVED and not method.proven
    )
    if asks and off_session:
        return _fail(house, intent, AUTHENTICATION)
    if asks:
        waiting = house.books.intents.put(
            replace(intent, status=IntentStatus.NEEDS_ACTION, error="")
        )
        return house.tell("payment_intent.requires_action", INTENTS, waiting)
    return charge(house, intent)


def charge(house: House, intent: Intent) -> Intent:
    """Take the money, or fail as the card does: 402."""
    books, method = house.books, house.books.methods[intent.method]
    card = CARDS[method.number]
    if card.decline:
        return _fail(house, intent, card.decline)
    made = _charge_of(books, intent, "")
    line = house.book(
        "charge", made.amount, fee_on(made.amount), uid(Charge, made.id), made.description
    )
    made = books.charges.put(replace(made, transaction=line.id))
    paid = books.intents.put(
        replace(intent, status=IntentStatus.SUCCEEDED, charge=made.id, error="")
    )
    if paid.future_usage and paid.customer and method.customer is None:
        attach(house, method, paid.customer)
    house.tell("charge.succeeded", CHARGES, made)
    house.tell("payment_intent.succeeded", INTENTS, paid)
    if card.disputed:
        dispute(house, made, "fraudulent")
    return paid


def _fail(house: House, intent: Intent, error: str) -> Intent:
    books = house.books
    made = books.charges.put(_charge_of(books, intent, error))
    failed = books.intents.put(
        replace(intent, status=IntentStatus.NEEDS_METHOD, charge=made.id, error=error)
    )
    house.tell("charge.failed", CHARGES, made)
    house.tell("payment_intent.payment_failed", INTENTS, failed)
    told = {
        "charge": uid(Charge, made.id),
        "payment_intent": INTENTS.show(books, failed),
        "payment_method": METHODS.look_up(books, uid(Method, made.method)),
    }
    raise declined(decline_of(error), told)


def _charge_of(books: Books, intent: Intent, error: str) -> Charge:
    return Charge(
        id=books.next_id(),
        created=books.now(),
        intent=intent.id,
        amount=intent.amount,
        currency=intent.currency,
        method=intent.method or 0,
        customer=intent.customer,
        secret=secret(),
        description=intent.description,
        metadata=intent.metadata,
        error=error,
    )


def prove(house: House, intent: Intent, *, approved: bool) -> Intent:
    """The card's owner was asked by the bank, and said so. 402 where that ends in no payment."""
    method = house.books.methods[intent.method]
    if approved:
        house.books.methods.put(replace(method, proven=True))
        return charge(house, intent)
    return _fail(house, intent, UNPROVEN.code)


def confirm_setup(house: House, setup: Setup, *, proven: bool | None = None) -> Setup:
    """Keep the card, once its owner was seen where the bank wants that; 402 if it is refused.

    `proven` is what the bank's page said, None before it was asked.
    """
    books, method = house.books, house.books.methods.get(setup.method)
    if method is None:
        raise not_now("You cannot confirm this SetupIntent because it's missing a payment method.")
    card = CARDS[method.number]
    if card.decline and not card.saves:
        return _fail_setup(house, setup, decline_of(card.decline))
    if card.challenge is not Challenge.NEVER and proven is None and not method.proven:
        waiting = books.setups.put(replace(setup, status=IntentStatus.NEEDS_ACTION, error=""))
        return house.tell("setup_intent.requires_action", SETUPS, waiting)
    if proven is False:
        return _fail_setup(house, setup, UNPROVEN)
    method = books.methods.put(replace(method, proven=True))
    if setup.customer and method.customer is None:
        attach(house, method, setup.customer)
    done = books.setups.put(replace(setup, status=IntentStatus.SUCCEEDED, error=""))
    return house.tell("setup_intent.succeeded", SETUPS, done)


def _fail_setup(house: House, setup: Setup, decline: Decline) -> Setup:
    word = decline.decline_code or decline.code
    failed = house.books.setups.put(replace(setup, status=IntentStatus.NEEDS_METHOD, error=word))
    house.tell("setup_intent.setup_failed", SETUPS, failed)
    raise declined(decline, {"setup_intent": SETUPS.show(house.books, failed)})


def refund(
    house: House, made: Charge, amount: int | None, *, reason: str, metadata: dict[str, str]
) -> Refund:
    """Give back all that is left of a payment, or that much of it, to the card it came from."""
    books, left = house.books, made.amount - made.refunded
    if made.error:
        raise not_now(f"Charge {uid(Charge, made.id)} has failed, so it cannot be refunded.")
    if made.disputed:
        raise not_now(
            f"Charge {uid(Charge, made.id)} has been charged back; cannot issue a refund.",
            "charge_disputed",
        )
    if left == 0:
        sentence = f"Charge {uid(Charge, made.id)} has already been refunded."
        raise not_now(sentence, "charge_already_refunded")
    wanted = left if amount is None else amount
    if wanted > left:
        raise invalid("amount", f"is greater than unrefunded amount on charge ({left})")
    given = Refund(
        id=books.next_id(),
        created=books.now(),
        charge=made.id,
        intent=made.intent,
        amount=wanted,
        currency=made.currency,
        reason=reason,
        metadata=metadata,
    )
    line = house.book("refund", -wanted, 0, uid(Refund, given.id), made.description)
    given = books.refunds.put(replace(given, transaction=line.id))
    after = books.charges.put(replace(made, refunded=made.refunded + wanted))
    house.tell("refund.created", REFUNDS, given)
    house.tell("charge.refunded", CHARGES, after)
    return given


def dispute(house: House, made: Charge, reason: str) -> Dispute:
    """The card's owner asks for the money back; it and a fee are gone at once."""
    books, now = house.books, house.books.now()
    if made.error or made.disputed:
        raise no_such("charge that could be disputed", uid(Charge, made.id), "charge")
    number = books.next_id()
    line = house.book(
        "adjustment", -made.amount, DISPUTE_FEE, uid(Dispute, number), "Chargeback withdrawal"
    )
    opened = books.disputes.put(
        Dispute(
            id=number,
            created=now,
            charge=made.id,
            amount=made.amount,
            reason=reason,
            status="needs_response",
            due_by=now + ANSWER_WITHIN,
            transactions=(line.id,),
        )
    )
    books.charges.put(replace(made, disputed=True))
    house.tell("charge.dispute.created", DISPUTES, opened)
    return house.tell("charge.dispute.funds_withdrawn", DISPUTES, opened)


def close_dispute(house: House, opened: Dispute, *, won: bool) -> Dispute:
    """The bank has decided; what was won comes back, the fee does not."""
    if opened.status in ("won", "lost"):
        raise not_now("This dispute is already closed.")
    transactions = opened.transactions
    if won:
        line = house.book(
            "adjustment", opened.amount, 0, uid(Dispute, opened.id), "Chargeback reversal"
        )
        transactions = (*transactions, line.id)
    status = "won" if won else "lost"
    closed = house.books.disputes.put(replace(opened, status=status, transactions=transactions))
    house.tell("charge.dispute.closed", DISPUTES, closed)
    if won:
        house.tell("charge.dispute.funds_reinstated", DISPUTES, closed)
    return closed


def balance(books: Books) -> int:
    """What the account holds, in euro cents."""
    return sum(line.amount - line.fee for line in books.transactions)
