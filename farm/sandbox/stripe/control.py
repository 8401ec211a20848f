"""The sandbox's own doors to its Stripe: its books for a comparison, disputes, where hooks go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from aiohttp import web

from farm.sandbox.stripe.books import R, number_of, uid
from farm.sandbox.stripe.errors import ApiError
from farm.sandbox.stripe.house import House
from farm.sandbox.stripe.payments import balance, close_dispute, dispute
from farm.sandbox.stripe.records import Charge, Delivery, Dispute, Endpoint, Event, Intent
from farm.sandbox.stripe.shown import (
    CHARGES,
    CREDIT_NOTES,
    DISPUTES,
    INTENTS,
    INVOICES,
    REFUNDS,
    TRANSACTIONS,
    Shelf,
)
from farm.sandbox.wire import (
    BadRequestError,
    Json,
    JsonObject,
    answer,
    flag_of,
    read_object,
    text_of,
)

OURS = "the farm of this sandbox"


def stripe_routes(house: House, webhook_secret: str) -> list[web.RouteDef]:
    """GET /stripe/books and /stripe/deliveries; POST /stripe/disputes, /close and /webhooks.

    /stripe/disputes takes {"charge" or "payment_intent", "reason"}, /stripe/disputes/close
    {"dispute", "won"}, /stripe/webhooks {"url"}: events go there, signed with the farm's secret.
    """

    async def books(_: web.Request) -> web.Response:
        return answer(books_json(house))

    async def deliveries(_: web.Request) -> web.Response:
        return answer({"deliveries": [_delivery(house, one) for one in house.books.deliveries]})

    async def open_dispute(request: web.Request) -> web.Response:
        fields = await read_object(request)
        made = _charge(house, text_of(fields, "charge", ""), text_of(fields, "payment_intent", ""))
        with house.books.store.together():
            opened = _said(lambda: dispute(house, made, text_of(fields, "reason", "general")))
        return answer(DISPUTES.show(house.books, opened), 201)

    async def close(request: web.Request) -> web.Response:
        fields = await read_object(request)
        opened = house.books.disputes.get(number_of(Dispute, text_of(fields, "dispute")))
        if opened is None:
            raise BadRequestError("There is no such dispute: give the id of one.")
        with house.books.store.together():
            closed = _said(lambda: close_dispute(house, opened, won=flag_of(fields, "won")))
        return answer(DISPUTES.show(house.books, closed))

    async def hook(request: web.Request) -> web.Response:
        lead_to(house, text_of(await read_object(request), "url"), webhook_secret)
        return answer({})

    return [
        web.get("/stripe/books", books),
        web.get("/stripe/deliveries", deliveries),
        web.post("/stripe/disputes", open_dispute),
        web.post("/stripe/disputes/close", close),
        web.post("/stripe/webhooks", hook),
    ]


def lead_to(house: House, url: str, secret: str) -> None:
    """Have the farm's webhooks go to this address; "" for nowhere."""
    books = house.books
    known = next((one for one in books.endpoints if one.description == OURS), None)
    if known:
        gone = None if url else books.now()
        books.endpoints.put(replace(known, url=url or known.url, secret=secret, deleted=gone))
    elif url:
        books.endpoints.put(Endpoint(books.next_id(), books.now(), url, secret, description=OURS))


def books_json(house: House) -> JsonObject:
    """Everything that is money, oldest first, and what the account holds."""
    return {
        "currency": "eur",
        "balance": balance(house.books),
        "payment_intents": _all(house, INTENTS),
        "charges": _all(house, CHARGES),
        "refunds": _all(house, REFUNDS),
        "disputes": _all(house, DISPUTES),
        "invoices": _all(house, INVOICES),
        "credit_notes": _all(house, CREDIT_NOTES),
        "balance_transactions": _all(house, TRANSACTIONS),
    }


def _all(house: House, shelf: Shelf[R]) -> list[Json]:
    return [shelf.show(house.books, one) for one in shelf.table(house.books)]


def _charge(house: House, charge: str, intent: str) -> Charge:
    books = house.books
    found = books.charges.get(number_of(Charge, charge))
    if intent:
        named = books.intents.get(number_of(Intent, intent))
        found = books.charges.get(named.charge) if named else None
    if found is None:
        raise BadRequestError("There is no such charge: give the id of one, or of its payment.")
    return found


def _said(act: Callable[[], Dispute]) -> Dispute:
    """The API's refusal as a sentence of the control endpoint's."""
    try:
        return act()
    except ApiError as refusal:
        raise BadRequestError(refusal.message) from None


def _delivery(house: House, one: Delivery) -> JsonObject:
    event = house.books.events[one.event]
    return {
        "event": uid(Event, event.id),
        "type": event.type,
        "url": house.books.endpoints[one.endpoint].url,
        "attempts": one.attempts,
        "arrived": one.arrived,
        "due": one.due.isoformat() if one.due else None,
    }
