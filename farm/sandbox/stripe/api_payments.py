"""Payments off- and on-session, kept cards, charges, refunds, disputes, and the account's lines."""

from __future__ import annotations

from dataclasses import replace

from farm.sandbox.stripe.books import secret, uid
from farm.sandbox.stripe.calls import PAGING, Call
from farm.sandbox.stripe.errors import ApiError, invalid, missing, not_now
from farm.sandbox.stripe.invoicing import paid_by
from farm.sandbox.stripe.payments import (
    balance,
    close_dispute,
    confirm,
    confirm_setup,
    method_named,
    refund,
)
from farm.sandbox.stripe.records import Intent, IntentStatus, Setup
from farm.sandbox.stripe.shown import (
    CHARGES,
    CUSTOMERS,
    DISPUTES,
    INTENTS,
    REFUNDS,
    SETUPS,
    TRANSACTIONS,
)
from farm.sandbox.wire import JsonObject

USAGES = ("off_session", "on_session")
REASONS = ("", "duplicate", "fraudulent", "requested_by_customer")
CONFIRMING = ("payment_method", "off_session", "return_url", "error_on_requires_action")
OF_INTENT = (
    *("amount", "currency", "customer", "description", "metadata", "confirm"),
    *("setup_future_usage", "payment_method_types", "automatic_payment_methods", "receipt_email"),
)


def create_intent(call: Call) -> JsonObject:
    """POST /v1/payment_intents, with `confirm` tried at once."""
    form, books = call.form, call.books
    form.only(*OF_INTENT, *CONFIRMING)
    customer = form.text("customer", "")
    intent = Intent(
        id=books.next_id(),
        created=books.now(),
        amount=form.cents("amount", least=50),
        currency=form.choice("currency", ("eur",)),
        status=IntentStatus.NEEDS_METHOD,
        secret=secret(),
        customer=CUSTOMERS.find(books, customer, "customer").id if customer else None,
        description=form.text("description", ""),
        metadata=form.metadata(),
        future_usage=form.choice("setup_future_usage", ("", *USAGES), ""),
        return_url=form.text("return_url", ""),
    )
    intent = _with_method(call, intent)
    if form.flag("off_session") and not form.flag("confirm"):
        raise invalid("off_session", "needs confirm=true")
    call.house.tell("payment_intent.created", INTENTS, books.intents.put(intent))
    if form.flag("confirm"):
        intent = _confirmed(call, intent)
    return call.show(INTENTS, intent)


def _with_method(call: Call, intent: Intent) -> Intent:
    form = call.form
    if not form.has("payment_method"):
        return intent
    method = method_named(call.house, form.text("payment_method"), "payment_method")
    if method.customer is not None and method.customer != intent.customer:
        raise invalid("payment_method", "belongs to another customer", "resource_missing")
    return replace(intent, method=method.id, status=IntentStatus.NEEDS_CONFIRMATION)


def _confirmed(call: Call, intent: Intent) -> Intent:
    form = call.form
    off_session = form.flag("off_session") or form.flag("error_on_requires_action")
    intent = replace(intent, return_url=form.text("return_url", intent.return_url))
    after = confirm(call.house, call.books.intents.put(intent), off_session=off_session)
    paid_by(call.house, after)
    return after


def confirm_intent(call: Call) -> JsonObject:
    """POST /v1/payment_intents/:id/confirm."""
    call.form.only(*CONFIRMING, "setup_future_usage")
    intent = call.named(INTENTS)
    if intent.status in (IntentStatus.SUCCEEDED, IntentStatus.CANCELED):
        raise _unexpected(call, intent, "confirm")
    return call.show(INTENTS, _confirmed(call, _with_method(call, intent)))


def cancel_intent(call: Call) -> JsonObject:
    """POST /v1/payment_intents/:id/cancel."""
    intent = call.named(INTENTS)
    if intent.status in (IntentStatus.SUCCEEDED, IntentStatus.CANCELED):
        raise _unexpected(call, intent, "cancel")
    gone = replace(intent, status=IntentStatus.CANCELED, canceled=call.books.now())
    kept = call.books.intents.put(gone)
    return call.show(INTENTS, call.house.tell("payment_intent.canceled", INTENTS, kept))


def _unexpected(call: Call, intent: Intent, verb: str) -> ApiError:
    sentence = f"You cannot {verb} this PaymentIntent because it has a status of {intent.status}."
    shown = {"payment_intent": INTENTS.show(call.books, intent)}
    return not_now(sentence, "payment_intent_unexpected_state", shown)


def get_intent(call: Call) -> JsonObject:
    """GET /v1/payment_intents/:id."""
    return call.show(INTENTS, call.named(INTENTS))


def list_intents(call: Call) -> JsonObject:
    """GET /v1/payment_intents."""
    call.form.only(*PAGING, "customer")
    return call.page(INTENTS, [one for one in call.books.intents if call.is_of(one.customer)])


def create_setup(call: Call) -> JsonObject:
    """POST /v1/setup_intents."""
    form, books = call.form, call.books
    known = ("customer", "confirm", "usage", "metadata", "payment_method_types")
    form.only(*known, "payment_method", "return_url", "automatic_payment_methods")
    customer = form.text("customer", "")
    setup = Setup(
        id=books.next_id(),
        created=books.now(),
        status=IntentStatus.NEEDS_METHOD,
        secret=secret(),
        customer=CUSTOMERS.find(books, customer, "customer").id if customer else None,
        usage=form.choice("usage", USAGES, "off_session"),
        metadata=form.metadata(),
        return_url=form.text("return_url", ""),
    )
    setup = _with_card(call, setup)
    call.house.tell("setup_intent.created", SETUPS, books.setups.put(setup))
    if form.flag("confirm"):
        setup = confirm_setup(call.house, setup)
    return call.show(SETUPS, setup)


def _with_card(call: Call, setup: Setup) -> Setup:
    if not call.form.has("payment_method"):
        return setup
    method = method_named(call.house, call.form.text("payment_method"), "payment_method")
    return replace(setup, method=method.id, status=IntentStatus.NEEDS_CONFIRMATION)


def confirm_one_setup(call: Call) -> JsonObject:
    """POST /v1/setup_intents/:id/confirm."""
    setup = call.named(SETUPS)
    if setup.status in (IntentStatus.SUCCEEDED, IntentStatus.CANCELED):
        sentence = f"You cannot confirm this SetupIntent: it has a status of {setup.status}."
        raise not_now(sentence, "setup_intent_unexpected_state")
    setup = replace(setup, return_url=call.form.text("return_url", setup.return_url))
    ready = call.books.setups.put(_with_card(call, setup))
    return call.show(SETUPS, confirm_setup(call.house, ready))


def get_setup(call: Call) -> JsonObject:
    """GET /v1/setup_intents/:id."""
    return call.show(SETUPS, call.named(SETUPS))


def get_charge(call: Call) -> JsonObject:
    """GET /v1/charges/:id."""
    return call.show(CHARGES, call.named(CHARGES))


def list_charges(call: Call) -> JsonObject:
    """GET /v1/charges."""
    call.form.only(*PAGING, "customer", "payment_intent")
    intent = call.form.text("payment_intent", "")
    fitting = [
        one
        for one in call.books.charges
        if call.is_of(one.customer) and intent in ("", uid(Intent, one.intent))
    ]
    return call.page(CHARGES, fitting)


def create_refund(call: Call) -> JsonObject:
    """POST /v1/refunds of a charge or of a payment intent's."""
    form, books = call.form, call.books
    form.only("charge", "payment_intent", "amount", "reason", "metadata")
    if form.has("payment_intent"):
        intent = INTENTS.find(books, form.text("payment_intent"), "payment_intent")
        made = books.charges.get(intent.charge)
        if made is None:
            raise not_now("This PaymentIntent does not have a successful charge to refund.")
    elif form.has("charge"):
        made = CHARGES.find(books, form.text("charge"), "charge")
    else:
        raise missing("charge")
    amount = form.cents("amount") if form.has("amount") else None
    reason = form.choice("reason", REASONS, "")
    given = refund(call.house, made, amount, reason=reason, metadata=form.metadata())
    return call.show(REFUNDS, given)


def get_refund(call: Call) -> JsonObject:
    """GET /v1/refunds/:id."""
    return call.show(REFUNDS, call.named(REFUNDS))


def list_refunds(call: Call) -> JsonObject:
    """GET /v1/refunds."""
    call.form.only(*PAGING, "charge", "payment_intent")
    charge, intent = call.form.text("charge", ""), call.form.text("payment_intent", "")
    fitting = [
        one
        for one in call.books.refunds
        if charge in ("", CHARGES.show(call.books, call.books.charges[one.charge])["id"])
        and intent in ("", uid(Intent, one.intent))
    ]
    return call.page(REFUNDS, fitting)


def get_dispute(call: Call) -> JsonObject:
    """GET /v1/disputes/:id."""
    return call.show(DISPUTES, call.named(DISPUTES))


def list_disputes(call: Call) -> JsonObject:
    """GET /v1/disputes."""
    call.form.only(*PAGING)
    return call.page(DISPUTES, list(call.books.disputes))


def lose_dispute(call: Call) -> JsonObject:
    """POST /v1/disputes/:id/close: it is given up."""
    return call.show(DISPUTES, close_dispute(call.house, call.named(DISPUTES), won=False))


def get_transaction(call: Call) -> JsonObject:
    """GET /v1/balance_transactions/:id."""
    return call.show(TRANSACTIONS, call.named(TRANSACTIONS))


def list_transactions(call: Call) -> JsonObject:
    """GET /v1/balance_transactions."""
    call.form.only(*PAGING, "type", "source")
    kind, source = call.form.text("type", ""), call.form.text("source", "")
    fitting = [
        one
        for one in call.books.transactions
        if kind in ("", one.type) and source in ("", one.source)
    ]
    return call.page(TRANSACTIONS, fitting)


def get_balance(call: Call) -> JsonObject:
    """GET /v1/balance."""
    held: JsonObject = {
        "amount": balance(call.books),
        "currency": "eur",
        "source_types": {"card": balance(call.books)},
    }
    nothing: JsonObject = {**held, "amount": 0, "source_types": {"card": 0}}
    return {"object": "balance", "available": [held], "pending": [nothing], "livemode": False}
