"""Any thing by its id, as the API shows it: for events, and where `expand` asks for more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic

from farm.sandbox.store import Table
from farm.sandbox.stripe import records as r
from farm.sandbox.stripe.books import Books, R, find, number_of
from farm.sandbox.stripe.errors import ApiError
from farm.sandbox.stripe.render import (
    customer_json,
    dispute_json,
    endpoint_json,
    intent_json,
    method_json,
    portal_json,
    refund_json,
    setup_json,
    tax_id_json,
    transaction_json,
)
from farm.sandbox.stripe.render_invoices import (
    credit_note_json,
    invoice_json,
    invoice_payment_json,
)
from farm.sandbox.stripe.render_papers import charge_json, item_json, session_json
from farm.sandbox.wire import Json, JsonObject


@dataclass(frozen=True, slots=True)
class Shelf(Generic[R]):
    """One kind of thing: where it is kept, what refusals call it, and how it is shown."""

    kind: type[R]
    name: str
    table: Callable[[Books], Table[R]]
    render: Callable[[Books, R], JsonObject]

    def show(self, books: Books, record: R) -> JsonObject:
        """As the API shows it now."""
        return self.render(books, record)

    def find(self, books: Books, text: str, param: str = "id") -> R:
        """The thing of that id, or the API's refusal."""
        return find(self.table(books), self.kind, text, self.name, param)

    def look_up(self, books: Books, text: str) -> JsonObject | None:
        """The thing of that id as it is shown; None for an id of another kind."""
        record = self.table(books).get(number_of(self.kind, text))
        return None if record is None else self.show(books, record)


CUSTOMERS = Shelf(r.Customer, "customer", lambda b: b.customers, customer_json)
TAX_IDS = Shelf(r.TaxId, "tax_id", lambda b: b.tax_ids, tax_id_json)
METHODS = Shelf(r.Method, "PaymentMethod", lambda b: b.methods, method_json)
INTENTS = Shelf(r.Intent, "payment_intent", lambda b: b.intents, intent_json)
SETUPS = Shelf(r.Setup, "setupintent", lambda b: b.setups, setup_json)
CHARGES = Shelf(r.Charge, "charge", lambda b: b.charges, charge_json)
REFUNDS = Shelf(r.Refund, "refund", lambda b: b.refunds, refund_json)
DISPUTES = Shelf(r.Dispute, "dispute", lambda b: b.disputes, dispute_json)
TRANSACTIONS = Shelf(
    r.Transaction, "balance_transaction", lambda b: b.transactions, transaction_json
)
SESSIONS = Shelf(r.Session, "checkout.session", lambda b: b.sessions, session_json)
ITEMS = Shelf(r.Item, "invoiceitem", lambda b: b.items, item_json)
INVOICES = Shelf(r.Invoice, "invoice", lambda b: b.invoices, invoice_json)
CREDIT_NOTES = Shelf(r.CreditNote, "credit_note", lambda b: b.credit_notes, credit_note_json)
PORTALS = Shelf(r.Portal, "billing_portal.session", lambda b: b.portals, portal_json)
ENDPOINTS = Shelf(r.Endpoint, "webhook_endpoint", lambda b: b.endpoints, endpoint_json)
LOOKS: tuple[Callable[[Books, str], JsonObject | None], ...] = (
    CUSTOMERS.look_up,
    METHODS.look_up,
    INTENTS.look_up,
    SETUPS.look_up,
    CHARGES.look_up,
    REFUNDS.look_up,
    TRANSACTIONS.look_up,
    INVOICES.look_up,
)


def shown(books: Books, text: str) -> JsonObject | None:
    """The thing of that id, whatever it is."""
    return next(filter(None, (look(books, text) for look in LOOKS)), None)


def expanded(books: Books, body: JsonObject, paths: tuple[str, ...]) -> JsonObject:
    """The answer with the things themselves where `paths` ask for more than their ids."""
    for path in paths:
        body = _expand(books, body, path.split("."), path)
    return body


def _expand(books: Books, body: JsonObject, steps: list[str], path: str) -> JsonObject:
    name, rest = steps[0], steps[1:]
    if name == "payments" and body.get("object") == "invoice":
        value: Json = _payments(books, body)
    elif name in body:
        value = body[name]
    else:
        raise _cannot(path)
    return {**body, name: _expanded_value(books, value, rest, path)}


def _expanded_value(books: Books, value: Json, rest: list[str], path: str) -> Json:
    if isinstance(value, list):
        return [_expanded_value(books, one, rest, path) for one in value]
    if isinstance(value, str):
        found = shown(books, value)
        if found is None:
            raise _cannot(path)
        value = found
    if value is None or not rest:
        return value
    if not isinstance(value, Mapping):
        raise _cannot(path)
    return _expand(books, value, rest, path)


def _payments(books: Books, body: JsonObject) -> JsonObject:
    invoice = INVOICES.find(books, str(body["id"]))
    data: list[Json] = [invoice_payment_json(books, invoice)] if invoice.intent else []
    return {"object": "list", "data": data, "has_more": False, "url": "/v1/invoice_payments"}


def _cannot(path: str) -> ApiError:
    sentence = f"This property cannot be expanded ({path})."
    return ApiError(400, sentence, param=f"expand[{path}]")
