"""Invoices with their items, how they are paid, and credit notes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from farm.sandbox.stripe.books import Books, secret, uid
from farm.sandbox.stripe.calls import PAGING, Call
from farm.sandbox.stripe.cards import ASKED
from farm.sandbox.stripe.errors import declined, invalid, not_now
from farm.sandbox.stripe.form import Form
from farm.sandbox.stripe.invoicing import credit, finalize, give_up, pay, settle, void
from farm.sandbox.stripe.payments import method_named
from farm.sandbox.stripe.records import (
    CreditNote,
    Intent,
    Invoice,
    Item,
)
from farm.sandbox.stripe.render import listed
from farm.sandbox.stripe.render_invoices import invoice_payment_json
from farm.sandbox.stripe.render_papers import invoice_lines
from farm.sandbox.stripe.shown import (
    CREDIT_NOTES,
    CUSTOMERS,
    INVOICES,
    ITEMS,
    METHODS,
)
from farm.sandbox.wire import Json, JsonObject

OF_INVOICE = (
    *("customer", "currency", "auto_advance", "collection_method", "automatic_tax", "metadata"),
    *("days_until_due", "due_date", "description", "footer", "default_payment_method"),
    "pending_invoice_items_behavior",
)
OF_ITEM = (
    *("customer", "invoice", "amount", "currency", "description", "metadata", "period"),
    *("quantity", "unit_amount_decimal", "tax_behavior", "tax_code"),
)
CREDIT_REASONS = ("", "duplicate", "fraudulent", "order_change", "product_unsatisfactory")


def create_item(call: Call) -> JsonObject:
    """POST /v1/invoiceitems: a line of a draft, or of the customer's next invoice."""
    form, books = call.form, call.books
    form.only(*OF_ITEM)
    customer = CUSTOMERS.find(books, form.text("customer"), "customer")
    draft = _draft(books, form.text("invoice")) if form.has("invoice") else None
    if draft and draft.customer != customer.id:
        raise invalid("invoice", "belongs to another customer")
    quantity, period = form.integer("quantity", 1), form.part("period")
    item = Item(
        id=books.next_id(),
        created=books.now(),
        customer=customer.id,
        amount=_amount(form, quantity),
        currency=form.choice("currency", ("eur",), "eur"),
        invoice=draft.id if draft else None,
        description=form.text("description", ""),
        quantity=quantity,
        inclusive=form.text("tax_behavior", "exclusive") == "inclusive",
        begins=period.when("start"),
        ends=period.when("end"),
        metadata=form.metadata(),
    )
    return call.show(ITEMS, call.house.tell("invoiceitem.created", ITEMS, books.items.put(item)))


def _amount(form: Form, quantity: int) -> int:
    if form.has("unit_amount_decimal"):
        exact = form.decimal("unit_amount_decimal") * quantity
        return int(exact.quantize(Decimal(1), ROUND_HALF_UP))
    return form.integer("amount")


def _draft(books: Books, named: str) -> Invoice:
    invoice = INVOICES.find(books, named, "invoice")
    if invoice.status != "draft":
        raise not_now("This invoice is no longer editable.", "invoice_not_editable")
    return invoice


def get_item(call: Call) -> JsonObject:
    """GET /v1/invoiceitems/:id."""
    return call.show(ITEMS, call.named(ITEMS))


def list_items(call: Call) -> JsonObject:
    """GET /v1/invoiceitems."""
    call.form.only(*PAGING, "customer", "invoice", "pending")
    invoice = call.form.text("invoice", "")
    fitting = [
        one
        for one in call.books.items
        if one.deleted is None
        and invoice in ("", uid(Invoice, one.invoice or 0))
        and call.is_of(one.customer)
    ]
    return call.page(ITEMS, fitting)


def delete_item(call: Call) -> JsonObject:
    """DELETE /v1/invoiceitems/:id, while its invoice is a draft."""
    item = call.named(ITEMS)
    if item.invoice is not None:
        _draft(call.books, uid(Invoice, item.invoice))
    call.books.items.put(replace(item, deleted=call.books.now()))
    call.house.tell("invoiceitem.deleted", ITEMS, item)
    return {"id": uid(Item, item.id), "object": "invoiceitem", "deleted": True}


def create_invoice(call: Call) -> JsonObject:
    """POST /v1/invoices: a draft; items wait for it only where it asks to include them."""
    form, books = call.form, call.books
    form.only(*OF_INVOICE)
    customer = CUSTOMERS.find(books, form.text("customer"), "customer")
    fresh = Invoice(
        id=books.next_id(),
        created=books.now(),
        customer=customer.id,
        currency=form.choice("currency", ("eur",), "eur"),
        secret=secret(),
    )
    draft = books.invoices.put(_written(call, fresh))
    if (
        form.choice("pending_invoice_items_behavior", ("include", "exclude"), "exclude")
        == "include"
    ):
        for item in books.items:
            if item.customer == customer.id and item.invoice is None and not item.deleted:
                books.items.put(replace(item, invoice=draft.id))
    return call.show(INVOICES, call.house.tell("invoice.created", INVOICES, draft))


def _written(call: Call, invoice: Invoice) -> Invoice:
    form, books = call.form, call.books
    method = form.text("default_payment_method", "")
    ways = ("charge_automatically", "send_invoice")
    days = form.integer("days_until_due", -1)
    due = books.now() + timedelta(days=days) if days >= 0 else form.when("due_date")
    return replace(
        invoice,
        auto_advance=form.flag("auto_advance", default=invoice.auto_advance),
        collection=form.choice("collection_method", ways, invoice.collection),
        automatic_tax=form.part("automatic_tax").flag("enabled", default=invoice.automatic_tax),
        due=due or invoice.due,
        description=form.text("description", invoice.description),
        footer=form.text("footer", invoice.footer),
        metadata=form.metadata(invoice.metadata),
        method=METHODS.find(books, method, "default_payment_method").id if method else None,
    )


def update_invoice(call: Call) -> JsonObject:
    """POST /v1/invoices/:id: its metadata always, the rest while it is a draft."""
    call.form.only(*OF_INVOICE)
    invoice = call.named(INVOICES)
    if invoice.status != "draft" and set(call.form.fields) - {"metadata", "expand"}:
        _draft(call.books, call.path["id"])
    kept = call.books.invoices.put(_written(call, invoice))
    return call.show(INVOICES, call.house.tell("invoice.updated", INVOICES, kept))


def get_invoice(call: Call) -> JsonObject:
    """GET /v1/invoices/:id."""
    return call.show(INVOICES, call.named(INVOICES))


def list_invoices(call: Call) -> JsonObject:
    """GET /v1/invoices."""
    call.form.only(*PAGING, "customer", "status")
    fitting = [
        one
        for one in call.books.invoices
        if one.deleted is None
        and call.form.text("status", one.status) == one.status
        and call.is_of(one.customer)
    ]
    return call.page(INVOICES, fitting)


def list_invoice_lines(call: Call) -> JsonObject:
    """GET /v1/invoices/:id/lines."""
    return listed(invoice_lines(call.books, call.named(INVOICES)), call.url)


def list_invoice_payments(call: Call) -> JsonObject:
    """GET /v1/invoice_payments?invoice= or ?payment[payment_intent]=."""
    named = call.form.text("invoice", "")
    intent = call.form.part("payment").text("payment_intent", "")
    data: list[Json] = [
        invoice_payment_json(call.books, one)
        for one in call.books.invoices
        if one.intent is not None
        and named in ("", uid(Invoice, one.id))
        and intent in ("", uid(Intent, one.intent))
    ]
    return call.expand(listed(data, call.url))


def delete_invoice(call: Call) -> JsonObject:
    """DELETE /v1/invoices/:id, while it is a draft."""
    invoice = _draft(call.books, call.path["id"])
    call.books.invoices.put(replace(invoice, deleted=call.books.now()))
    call.house.tell("invoice.deleted", INVOICES, invoice)
    return {"id": uid(Invoice, invoice.id), "object": "invoice", "deleted": True}


def finalize_invoice(call: Call) -> JsonObject:
    """POST /v1/invoices/:id/finalize. Nothing is collected of itself, `auto_advance` or not."""
    invoice = finalize(call.house, call.named(INVOICES))
    return call.show(INVOICES, invoice)


def pay_invoice(call: Call) -> JsonObject:
    """POST /v1/invoices/:id/pay."""
    form = call.form
    form.only("payment_method", "off_session", "paid_out_of_band")
    invoice = call.named(INVOICES)
    if invoice.status == "draft":
        invoice = finalize(call.house, invoice)
    if form.flag("paid_out_of_band"):
        return call.show(INVOICES, settle(call.house, invoice, None))
    named = form.text("payment_method", "")
    method = method_named(call.house, named, "payment_method") if named else None
    off_session = form.flag("off_session", default=True)
    after = pay(call.house, invoice, method, off_session=off_session)
    if after.status != "paid":
        raise declined(ASKED, {})
    return call.show(INVOICES, after)


def void_invoice(call: Call) -> JsonObject:
    """POST /v1/invoices/:id/void."""
    return call.show(INVOICES, void(call.house, call.named(INVOICES)))


def give_up_invoice(call: Call) -> JsonObject:
    """POST /v1/invoices/:id/mark_uncollectible."""
    return call.show(INVOICES, give_up(call.house, call.named(INVOICES)))


def send_invoice(call: Call) -> JsonObject:
    """POST /v1/invoices/:id/send; a draft is finalized first. No mail leaves the sandbox."""
    invoice = call.named(INVOICES)
    if invoice.status == "draft":
        invoice = finalize(call.house, invoice)
    return call.show(INVOICES, call.house.tell("invoice.sent", INVOICES, invoice))


def create_credit_note(call: Call) -> JsonObject:
    """POST /v1/credit_notes of an amount with its tax."""
    form, books = call.form, call.books
    form.only(
        *("invoice", "amount", "reason", "memo", "metadata"),
        *("refund_amount", "out_of_band_amount"),
    )
    invoice = INVOICES.find(books, form.text("invoice"), "invoice")
    taken = sum(1 for one in books.credit_notes if one.invoice == invoice.id)
    wish = CreditNote(
        id=books.next_id(),
        created=books.now(),
        invoice=invoice.id,
        number=f"{invoice.number}-CN-{taken + 1:02d}",
        secret=secret(),
        amount=form.cents("amount"),
        tax=0,
        description=form.text("memo", ""),
        memo=form.text("memo", ""),
        metadata=form.metadata(),
        out_of_band=form.integer("out_of_band_amount", 0),
    )
    reason = form.choice("reason", CREDIT_REASONS, "")
    back = form.integer("refund_amount", 0)
    note = credit(call.house, invoice, wish, refund_amount=back, reason=reason)
    return call.show(CREDIT_NOTES, note)


def get_credit_note(call: Call) -> JsonObject:
    """GET /v1/credit_notes/:id."""
    return call.show(CREDIT_NOTES, call.named(CREDIT_NOTES))


def list_credit_notes(call: Call) -> JsonObject:
    """GET /v1/credit_notes."""
    call.form.only(*PAGING, "invoice", "customer")
    invoice = call.form.text("invoice", "")
    fitting = [one for one in call.books.credit_notes if invoice in ("", uid(Invoice, one.invoice))]
    return call.page(CREDIT_NOTES, fitting)
