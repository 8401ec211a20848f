"""Events, where webhooks go, and what VAT a sale would bear."""

from __future__ import annotations

import json
from dataclasses import replace

from farm.sandbox.stripe.books import secret, uid
from farm.sandbox.stripe.calls import PAGING, Call
from farm.sandbox.stripe.errors import missing, no_such
from farm.sandbox.stripe.records import Address, Endpoint, Event, Line
from farm.sandbox.stripe.render import address_json, listed, seconds
from farm.sandbox.stripe.render_papers import event_json, tax_json
from farm.sandbox.stripe.shown import CUSTOMERS, ENDPOINTS
from farm.sandbox.stripe.sums import country_of, is_company, line_tax, sums_of
from farm.sandbox.stripe.tax import Rate, country_of_vat, rate_for, verification_of
from farm.sandbox.wire import Json, JsonObject


def _event(call: Call, event: Event) -> JsonObject:
    return event_json(call.books, event, json.loads(event.body))


def get_event(call: Call) -> JsonObject:
    """GET /v1/events/:id."""
    found = next((one for one in call.books.events if uid(Event, one.id) == call.path["id"]), None)
    if found is None:
        raise no_such("event", call.path["id"])
    return _event(call, found)


def list_events(call: Call) -> JsonObject:
    """GET /v1/events; `delivery_success` false: those that some endpoint has not taken."""
    form = call.form
    form.only(*PAGING, "type", "types", "delivery_success")
    kinds = (*form.texts("types"), *((form.text("type"),) if form.has("type") else ()))
    missed = {one.event for one in call.books.deliveries if not one.arrived}
    wanted = form.flag("delivery_success") if form.has("delivery_success") else None
    fitting = [
        one
        for one in call.books.events
        if (not kinds or one.type in kinds) and wanted in (None, one.id not in missed)
    ]
    return call.page_of(fitting, Event, lambda one: _event(call, one))


def create_endpoint(call: Call) -> JsonObject:
    """POST /v1/webhook_endpoints; the secret is told here and nowhere else."""
    form, books = call.form, call.books
    made = books.endpoints.put(
        Endpoint(
            id=books.next_id(),
            created=books.now(),
            url=form.text("url"),
            secret=secret("whsec_"),
            events=form.texts("enabled_events") or ("*",),
            description=form.text("description", ""),
            metadata=form.metadata(),
        )
    )
    return {**call.show(ENDPOINTS, made), "secret": made.secret}


def list_endpoints(call: Call) -> JsonObject:
    """GET /v1/webhook_endpoints."""
    return call.page(ENDPOINTS, [one for one in call.books.endpoints if one.deleted is None])


def delete_endpoint(call: Call) -> JsonObject:
    """DELETE /v1/webhook_endpoints/:id."""
    gone = replace(call.named(ENDPOINTS), deleted=call.books.now())
    call.books.endpoints.put(gone)
    return {"id": uid(Endpoint, gone.id), "object": "webhook_endpoint", "deleted": True}


def calculate_tax(call: Call) -> JsonObject:
    """POST /v1/tax/calculations."""
    form, books = call.form, call.books
    form.choice("currency", ("eur",))
    lines = [
        Line(
            description=one.text("reference", ""),
            amount=one.integer("amount"),
            quantity=one.integer("quantity", 1),
            inclusive=one.text("tax_behavior", "exclusive") == "inclusive",
        )
        for one in form.parts("line_items")
    ]
    if not lines:
        raise missing("line_items")
    rate, sums = _rate(call), None
    sums = sums_of(lines, rate)
    added = sums.total - sums.subtotal
    number = books.next_id()
    return call.expand(
        {
            "id": f"taxcalc_1S{number:08d}",
            "object": "tax.calculation",
            "amount_total": sums.total,
            "currency": "eur",
            "customer": form.text("customer", "") or None,
            "customer_details": {
                "address": address_json(Address(country=rate.country)),
                "address_source": "billing",
                "ip_address": None,
                "tax_ids": [],
                "taxability_override": "none",
            },
            "expires_at": seconds(books.now()),
            "line_items": listed(_lines(lines, rate), call.url),
            "livemode": False,
            "ship_from_details": None,
            "shipping_cost": None,
            "tax_amount_exclusive": added,
            "tax_amount_inclusive": sums.tax - added,
            "tax_breakdown": [_breakdown(rate, sums.tax, sums.total - sums.tax)],
            "tax_date": seconds(books.now()),
        }
    )


def _rate(call: Call) -> Rate:
    """Of the customer on record, or of whom `customer_details` describe."""
    form, books = call.form, call.books
    if form.has("customer"):
        customer = CUSTOMERS.find(books, form.text("customer"), "customer")
        company = is_company(books, customer.id)
        return rate_for(country_of(books, customer.id), company=company)
    details = form.part("customer_details")
    numbers = [one.text("value") for one in details.parts("tax_ids")]
    company = any(country_of_vat(one) and verification_of(one) != "unverified" for one in numbers)
    return rate_for(details.part("address").text("country"), company=company)


def _lines(lines: list[Line], rate: Rate) -> list[Json]:
    return [
        {
            "id": f"tax_li_{place}",
            "object": "tax.calculation_line_item",
            "amount": line.amount,
            "amount_tax": line_tax(line, rate),
            "livemode": False,
            "metadata": None,
            "product": None,
            "quantity": line.quantity,
            "reference": line.description,
            "tax_behavior": "inclusive" if line.inclusive else "exclusive",
            "tax_code": "txcd_10000000",
        }
        for place, line in enumerate(lines)
    ]


def _breakdown(rate: Rate, tax: int, net: int) -> JsonObject:
    told = tax_json(rate, tax, net, inclusive=False)
    details: JsonObject = {
        "country": rate.country,
        "flat_amount": None,
        "percentage_decimal": rate.percent,
        "rate_type": "percentage",
        "state": None,
        "tax_type": "vat",
    }
    return {
        "amount": tax,
        "inclusive": False,
        "tax_rate_details": details,
        "taxability_reason": told["taxability_reason"],
        "taxable_amount": net,
    }
