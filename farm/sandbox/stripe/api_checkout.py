"""Hosted checkouts, as the API makes and shows them."""

from __future__ import annotations

from datetime import datetime, timedelta

from farm.sandbox.stripe.books import secret, uid
from farm.sandbox.stripe.calls import PAGING, Call
from farm.sandbox.stripe.checkout import expire, is_open
from farm.sandbox.stripe.errors import invalid, missing
from farm.sandbox.stripe.form import Form
from farm.sandbox.stripe.records import (
    Intent,
    Line,
    Session,
)
from farm.sandbox.stripe.render import listed
from farm.sandbox.stripe.render_papers import session_line_json
from farm.sandbox.stripe.shown import (
    CUSTOMERS,
    SESSIONS,
)
from farm.sandbox.wire import Json, JsonObject

DAY = timedelta(days=1)
SHORTEST = timedelta(minutes=30)
OF_SESSION = (
    *("mode", "success_url", "cancel_url", "line_items", "customer", "customer_email", "metadata"),
    *("client_reference_id", "expires_at", "automatic_tax", "tax_id_collection", "locale"),
    *("invoice_creation", "payment_intent_data", "setup_intent_data", "customer_creation"),
    *("customer_update", "currency", "payment_method_types", "billing_address_collection"),
    *("ui_mode", "submit_type", "payment_method_collection"),
)


def create_session(call: Call) -> JsonObject:
    """POST /v1/checkout/sessions, in the modes payment and setup."""
    form, books = call.form, call.books
    form.only(*OF_SESSION)
    mode = form.choice("mode", ("payment", "setup"))
    customer = form.text("customer", "")
    if customer and form.has("customer_email"):
        raise invalid("customer_email", "You may only specify one of customer, customer_email.")
    intent, invoice = form.part(f"{mode}_intent_data"), form.part("invoice_creation")
    now = books.now()
    session = Session(
        id=books.next_id(),
        created=now,
        expires=_expiry(call),
        mode=mode,
        currency=form.choice("currency", ("eur",), "eur"),
        status="open",
        payment_status="unpaid" if mode == "payment" else "no_payment_required",
        secret=secret(),
        success_url=form.text("success_url"),
        cancel_url=form.text("cancel_url", ""),
        lines=tuple(_lines(form)) if mode == "payment" else (),
        customer=CUSTOMERS.find(books, customer, "customer").id if customer else None,
        creates_customer=form.text("customer_creation", "") == "always",
        email=form.text("customer_email", ""),
        reference=form.text("client_reference_id", ""),
        locale=form.text("locale", ""),
        metadata=form.metadata(),
        intent_metadata=intent.metadata(),
        intent_description=intent.text("description", ""),
        future_usage=intent.text("setup_future_usage", ""),
        automatic_tax=form.part("automatic_tax").flag("enabled"),
        collects_tax_id=form.part("tax_id_collection").flag("enabled"),
        makes_invoice=invoice.flag("enabled"),
        invoice_metadata=invoice.part("invoice_data").metadata(),
    )
    return call.show(SESSIONS, books.sessions.put(session))


def _expiry(call: Call) -> datetime:
    now, wish = call.books.now(), call.form.when("expires_at")
    if wish is not None and not SHORTEST <= wish - now + timedelta(seconds=60) <= DAY + SHORTEST:
        raise invalid("expires_at", "must be between 30 minutes and 24 hours from now")
    return wish or now + DAY


def _lines(form: Form) -> list[Line]:
    lines = []
    for one in form.parts("line_items"):
        price, quantity = one.part("price_data"), one.integer("quantity", 1)
        price.choice("currency", ("eur",))
        product = price.part("product_data")
        lines.append(
            Line(
                description=product.text("name"),
                amount=price.cents("unit_amount", least=0) * quantity,
                quantity=quantity,
                inclusive=price.text("tax_behavior", "exclusive") == "inclusive",
            )
        )
    if not lines:
        raise missing("line_items")
    return lines


def get_session(call: Call) -> JsonObject:
    """GET /v1/checkout/sessions/:id."""
    session = call.named(SESSIONS)
    is_open(call.house, session)
    return call.show(SESSIONS, call.named(SESSIONS))


def list_sessions(call: Call) -> JsonObject:
    """GET /v1/checkout/sessions."""
    call.form.only(*PAGING, "customer", "payment_intent", "status")
    intent = call.form.text("payment_intent", "")
    fitting = [
        one
        for one in call.books.sessions
        if intent in ("", uid(Intent, one.intent or 0))
        and call.form.text("status", one.status) == one.status
        and call.is_of(one.customer)
    ]
    return call.page(SESSIONS, fitting)


def expire_session(call: Call) -> JsonObject:
    """POST /v1/checkout/sessions/:id/expire."""
    return call.show(SESSIONS, expire(call.house, call.named(SESSIONS)))


def list_session_lines(call: Call) -> JsonObject:
    """GET /v1/checkout/sessions/:id/line_items."""
    session = call.named(SESSIONS)
    data: list[Json] = [
        session_line_json(call.books, session, place, line)
        for place, line in enumerate(session.lines)
    ]
    return listed(data, call.url)
