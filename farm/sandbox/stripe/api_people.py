"""Customers, their VAT ids, cards, and their way into the portal."""

from __future__ import annotations

from dataclasses import replace

from farm.sandbox.stripe.books import secret, uid
from farm.sandbox.stripe.calls import PAGING, Call
from farm.sandbox.stripe.cards import CARDS, NO_CARD, TOKENS
from farm.sandbox.stripe.errors import declined, invalid, no_such
from farm.sandbox.stripe.form import Form
from farm.sandbox.stripe.payments import Owner, attach, detach, keep_card
from farm.sandbox.stripe.records import Address, Customer, Method, Portal, TaxId
from farm.sandbox.stripe.shown import CUSTOMERS, METHODS, PORTALS, TAX_IDS
from farm.sandbox.stripe.tax_ids import add_tax_id
from farm.sandbox.wire import JsonObject

ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
OF_CUSTOMER = (
    *("address", "description", "email", "invoice_settings", "metadata", "name", "phone"),
    *("payment_method", "preferred_locales", "tax_id_data", "tax"),
)


def create_customer(call: Call) -> JsonObject:
    """POST /v1/customers."""
    books = call.books
    call.form.only(*OF_CUSTOMER)
    fresh = _written(call, Customer(books.next_id(), books.now()))
    call.house.tell("customer.created", CUSTOMERS, books.customers.put(fresh))
    for one in call.form.parts("tax_id_data"):
        add_tax_id(call.house, fresh, one.text("type"), one.text("value"))
    return call.show(CUSTOMERS, fresh)


def update_customer(call: Call) -> JsonObject:
    """POST /v1/customers/:id."""
    call.form.only(*OF_CUSTOMER)
    kept = call.books.customers.put(_written(call, call.named(CUSTOMERS)))
    return call.show(CUSTOMERS, call.house.tell("customer.updated", CUSTOMERS, kept))


def _written(call: Call, customer: Customer) -> Customer:
    form = call.form
    settings = form.part("invoice_settings")
    method = customer.method
    if settings.has("default_payment_method"):
        named = settings.text("default_payment_method")
        param = settings.path("default_payment_method")
        method = METHODS.find(call.books, named, param).id if named else None
    return replace(
        customer,
        email=form.text("email", customer.email),
        name=form.text("name", customer.name),
        description=form.text("description", customer.description),
        phone=form.text("phone", customer.phone),
        address=_address(form.part("address")) if form.has("address") else customer.address,
        metadata=form.metadata(customer.metadata),
        method=method,
    )


def _address(form: Form) -> Address | None:
    form.only(*ADDRESS)
    said = {name: form.text(name, "") for name in ADDRESS}
    if not any(said.values()):
        return None
    if said["country"] and (len(said["country"]) != 2 or not said["country"].isupper()):
        raise invalid(form.path("country"), "must be a two-letter country code")
    return Address(**said)


def get_customer(call: Call) -> JsonObject:
    """GET /v1/customers/:id; one that was deleted says so."""
    gone = CUSTOMERS.look_up(call.books, call.path["id"])
    if gone and all(uid(Customer, one.id) != gone["id"] for one in _there(call)):
        return {"id": gone["id"], "object": "customer", "deleted": True}
    return call.show(CUSTOMERS, call.named(CUSTOMERS))


def list_customers(call: Call) -> JsonObject:
    """GET /v1/customers."""
    call.form.only(*PAGING, "email")
    email = call.form.text("email", "")
    return call.page(CUSTOMERS, [one for one in _there(call) if email in ("", one.email)])


def _there(call: Call) -> list[Customer]:
    return [one for one in call.books.customers if one.deleted is None]


def delete_customer(call: Call) -> JsonObject:
    """DELETE /v1/customers/:id."""
    kept = call.named(CUSTOMERS)
    call.books.customers.put(replace(kept, deleted=call.books.now()))
    call.house.tell("customer.deleted", CUSTOMERS, kept)
    return {"id": uid(Customer, kept.id), "object": "customer", "deleted": True}


def create_tax_id(call: Call) -> JsonObject:
    """POST /v1/customers/:id/tax_ids."""
    call.form.only("type", "value")
    customer = call.named(CUSTOMERS)
    form = call.form
    kept = add_tax_id(call.house, customer, form.text("type"), form.text("value"))
    return call.show(TAX_IDS, kept)


def list_tax_ids(call: Call) -> JsonObject:
    """GET /v1/customers/:id/tax_ids."""
    customer = call.named(CUSTOMERS)
    mine = [one for one in call.books.tax_ids if one.customer == customer.id and not one.deleted]
    return call.page(TAX_IDS, mine)


def _tax_id(call: Call) -> TaxId:
    customer, tax_id = call.named(CUSTOMERS), call.named(TAX_IDS, "tax_id")
    if tax_id.customer != customer.id:
        raise no_such("tax_id", call.path["tax_id"])
    return tax_id


def get_tax_id(call: Call) -> JsonObject:
    """GET /v1/customers/:id/tax_ids/:tax_id."""
    return call.show(TAX_IDS, _tax_id(call))


def delete_tax_id(call: Call) -> JsonObject:
    """DELETE /v1/customers/:id/tax_ids/:tax_id."""
    kept = _tax_id(call)
    call.books.tax_ids.put(replace(kept, deleted=call.books.now()))
    call.house.tell("customer.tax_id.deleted", TAX_IDS, kept)
    return {"id": uid(TaxId, kept.id), "object": "tax_id", "deleted": True}


def create_method(call: Call) -> JsonObject:
    """POST /v1/payment_methods: a test card by its number, or `card[token]` by its name."""
    form = call.form
    form.only("type", "card", "billing_details", "metadata")
    form.choice("type", ("card",))
    card, person = form.part("card"), form.part("billing_details")
    token = card.text("token", "").replace("tok_", "pm_card_")
    number = TOKENS.get(token) or card.text("number", "" if token else None)
    if number not in CARDS:
        raise declined(NO_CARD, {"param": "card[number]"})
    owner = Owner(
        email=person.text("email", ""),
        name=person.text("name", ""),
        country=person.part("address").text("country", ""),
    )
    made = replace(keep_card(call.house, number, owner), metadata=form.metadata())
    return call.show(METHODS, call.books.methods.put(made))


def get_method(call: Call) -> JsonObject:
    """GET /v1/payment_methods/:id."""
    return call.show(METHODS, call.named(METHODS))


def attach_method(call: Call) -> JsonObject:
    """POST /v1/payment_methods/:id/attach."""
    form = call.form
    customer = CUSTOMERS.find(call.books, form.text("customer"), "customer")
    name = call.path["id"]
    method = keep_card(call.house, TOKENS[name], Owner()) if name in TOKENS else call.named(METHODS)
    return call.show(METHODS, attach(call.house, method, customer.id))


def detach_method(call: Call) -> JsonObject:
    """POST /v1/payment_methods/:id/detach."""
    return call.show(METHODS, detach(call.house, call.named(METHODS)))


def list_methods(call: Call) -> JsonObject:
    """GET /v1/payment_methods?customer=."""
    customer = CUSTOMERS.find(call.books, call.form.text("customer"), "customer")
    return call.page(METHODS, _of(call, customer))


def list_methods_of(call: Call) -> JsonObject:
    """GET /v1/customers/:id/payment_methods."""
    return call.page(METHODS, _of(call, call.named(CUSTOMERS)))


def _of(call: Call, customer: Customer) -> list[Method]:
    return [one for one in call.books.methods if one.customer == customer.id]


def create_portal(call: Call) -> JsonObject:
    """POST /v1/billing_portal/sessions."""
    form, books = call.form, call.books
    form.only("customer", "return_url", "locale", "configuration")
    customer = CUSTOMERS.find(books, form.text("customer"), "customer")
    opened = Portal(
        books.next_id(), books.now(), customer.id, secret(), form.text("return_url", "")
    )
    return call.show(PORTALS, books.portals.put(opened))
