"""Invoices, how they were paid, and credit notes, as the API shows them."""

from __future__ import annotations

from farm.sandbox.stripe.books import Books, uid, uid_or_none
from farm.sandbox.stripe.records import CreditNote, Customer, Intent, Invoice, Method, Refund
from farm.sandbox.stripe.render import address_json, listed, seconds
from farm.sandbox.stripe.render_papers import invoice_lines, tax_json
from farm.sandbox.stripe.sums import Sums, invoice_sums, rate_of
from farm.sandbox.stripe.tax import Rate
from farm.sandbox.wire import Json, JsonObject


def invoice_json(books: Books, invoice: Invoice) -> JsonObject:
    """An invoice; while it is a draft name and address are the customer's own."""
    sums, rate = invoice_sums(books, invoice), rate_of(books, invoice)
    number, customer = uid(Invoice, invoice.id), books.customers[invoice.customer]
    settled = invoice.finalized is not None
    hosted = f"{books.site}/i/{invoice.secret}"
    return {
        "id": number,
        "object": "invoice",
        **_amounts(invoice, sums),
        "attempt_count": invoice.attempts,
        "attempted": invoice.attempts > 0,
        "auto_advance": invoice.auto_advance,
        "automatic_tax": _automatic_tax(invoice, rate),
        "automatically_finalizes_at": None,
        "billing_reason": "manual",
        "collection_method": invoice.collection,
        "created": seconds(invoice.created),
        "currency": invoice.currency,
        "custom_fields": None,
        "customer": uid(Customer, invoice.customer),
        "customer_account": None,
        "customer_address": address_json(invoice.address if settled else customer.address),
        "customer_email": (invoice.email if settled else customer.email) or None,
        "customer_name": (invoice.name if settled else customer.name) or None,
        "customer_phone": None,
        "customer_shipping": None,
        "customer_tax_exempt": "none",
        "customer_tax_ids": [{"type": "eu_vat", "value": value} for value in invoice.tax_ids],
        "default_payment_method": uid_or_none(Method, invoice.method),
        "description": invoice.description or None,
        "due_date": seconds(invoice.due),
        "effective_at": seconds(invoice.finalized),
        "ending_balance": 0 if settled else None,
        "footer": invoice.footer or None,
        "from_invoice": None,
        "hosted_invoice_url": hosted if settled else None,
        "invoice_pdf": f"{hosted}/pdf" if settled else None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": listed(invoice_lines(books, invoice), f"/v1/invoices/{number}/lines"),
        "livemode": False,
        "metadata": invoice.metadata,
        **_settled(invoice),
        "total_discount_amounts": [],
        "total_pretax_credit_amounts": [],
        "total_taxes": _total_taxes(sums, rate),
    }


def _amounts(invoice: Invoice, sums: Sums) -> JsonObject:
    owed = sums.total - invoice.credited_before
    return {
        "account_country": "FR",
        "account_name": "Sandbox",
        "account_tax_ids": None,
        "application": None,
        "amount_due": owed,
        "amount_overpaid": 0,
        "amount_paid": invoice.amount_paid,
        "amount_remaining": 0 if invoice.status == "paid" else owed - invoice.amount_paid,
        "amount_shipping": 0,
        "post_payment_credit_notes_amount": invoice.credited_after,
        "pre_payment_credit_notes_amount": invoice.credited_before,
        "starting_balance": 0,
        "subtotal": sums.subtotal,
        "subtotal_excluding_tax": sums.total - sums.tax,
        "total": sums.total,
        "total_excluding_tax": sums.total - sums.tax,
    }


def _settled(invoice: Invoice) -> JsonObject:
    return {
        "default_source": None,
        "default_tax_rates": [],
        "discounts": [],
        "next_payment_attempt": None,
        "number": invoice.number or None,
        "on_behalf_of": None,
        "parent": None,
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": seconds(invoice.created),
        "period_start": seconds(invoice.created),
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "statement_descriptor": None,
        "status": invoice.status,
        "status_transitions": {
            "finalized_at": seconds(invoice.finalized),
            "marked_uncollectible_at": seconds(invoice.uncollectible),
            "paid_at": seconds(invoice.paid),
            "voided_at": seconds(invoice.voided),
        },
        "test_clock": None,
        "webhooks_delivered_at": seconds(invoice.created),
    }


def _automatic_tax(invoice: Invoice, rate: Rate | None) -> JsonObject:
    return {
        "disabled_reason": None,
        "enabled": invoice.automatic_tax,
        "liability": {"type": "self"} if invoice.automatic_tax else None,
        "provider": "stripe" if invoice.automatic_tax else None,
        "status": _tax_status(invoice, rate),
    }


def _tax_status(invoice: Invoice, rate: Rate | None) -> str | None:
    if not invoice.automatic_tax:
        return None
    return "complete" if rate else "requires_location_inputs"


def _total_taxes(sums: Sums, rate: Rate | None) -> list[Json]:
    if rate is None:
        return []
    return [tax_json(rate, sums.tax, sums.total - sums.tax, inclusive=False)]


def invoice_payment_json(_: Books, invoice: Invoice) -> JsonObject:
    """How an invoice is paid, by its payment intent."""
    paid = invoice.status == "paid"
    return {
        "id": f"inpay_1S{invoice.id:08d}",
        "object": "invoice_payment",
        "amount_paid": invoice.amount_paid if paid else None,
        "amount_requested": invoice.amount_paid,
        "created": seconds(invoice.created),
        "currency": invoice.currency,
        "invoice": uid(Invoice, invoice.id),
        "is_default": True,
        "livemode": False,
        "payment": {
            "payment_intent": uid_or_none(Intent, invoice.intent),
            "type": "payment_intent",
        },
        "status": "paid" if paid else "open",
        "status_transitions": {"canceled_at": None, "paid_at": seconds(invoice.paid)},
    }


def _note_line(note: CreditNote) -> JsonObject:
    net = note.amount - note.tax
    return {
        "id": f"cnli_1S{note.id:08d}",
        "object": "credit_note_line_item",
        "amount": net,
        "description": note.description or None,
        "discount_amount": 0,
        "discount_amounts": [],
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [],
        "quantity": 1,
        "tax_rates": [],
        "taxes": [],
        "type": "custom_line_item",
        "unit_amount": net,
        "unit_amount_decimal": str(net),
    }


def credit_note_json(books: Books, note: CreditNote) -> JsonObject:
    """A part of an invoice taken back."""
    invoice = books.invoices[note.invoice]
    number, net = uid(CreditNote, note.id), note.amount - note.tax
    given_back: JsonObject = {
        "amount_refunded": note.amount - note.out_of_band,
        "payment_record_refund": None,
        "refund": uid_or_none(Refund, note.refund),
        "type": "refund",
    }
    return {
        "id": number,
        "object": "credit_note",
        "amount": note.amount,
        "amount_shipping": 0,
        "created": seconds(note.created),
        "currency": invoice.currency,
        "customer": uid(Customer, invoice.customer),
        "customer_account": None,
        "customer_balance_transaction": None,
        "discount_amount": 0,
        "discount_amounts": [],
        "effective_at": seconds(note.created),
        "invoice": uid(Invoice, invoice.id),
        "lines": listed([_note_line(note)], f"/v1/credit_notes/{number}/lines"),
        "livemode": False,
        "memo": note.memo or None,
        "metadata": note.metadata,
        "number": note.number,
        "out_of_band_amount": note.out_of_band or None,
        "pdf": f"{books.site}/cn/{note.secret}/pdf",
        "post_payment_amount": note.amount if note.after_payment else 0,
        "pre_payment_amount": 0 if note.after_payment else note.amount,
        "pretax_credit_amounts": [],
        "reason": note.reason or None,
        "refunds": [given_back] if note.refund else [],
        "shipping_cost": None,
        "status": "void" if note.voided else "issued",
        "subtotal": net,
        "subtotal_excluding_tax": net,
        "total": note.amount,
        "total_excluding_tax": net,
        "total_taxes": [],
        "type": "post_payment" if note.after_payment else "pre_payment",
        "voided_at": seconds(note.voided),
    }
