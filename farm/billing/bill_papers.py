"""The documents of bills, kept for whoever asks for them: invoices and credit notes."""

from __future__ import annotations

from datetime import datetime

from farm.billing.customer_rows import Customer, Paper
from farm.billing.gateway_values import CreditNote, Invoice
from farm.billing.models import Payer


def keep_invoice(payer: Payer, found: Invoice, now: datetime) -> None:
    """The invoice as it is now; dated when it was first seen."""
    kept = {
        "number": found.number,
        "status": found.status,
        "net_cents": found.net,
        "tax_cents": found.tax,
        "total_cents": found.total,
        "page": found.page,
        "pdf": found.pdf,
    }
    Paper.objects.update_or_create(
        reference=found.id,
        defaults=kept,
        create_defaults={
            **kept,
            "customer": Customer.objects.get(payer=payer),
            "sort": Paper.Sort.INVOICE,
            "at": now,
        },
    )


def keep_credit_note(payer: Payer, found: CreditNote, now: datetime) -> None:
    """A credit note, once: it never changes."""
    Paper.objects.get_or_create(
        reference=found.id,
        defaults={
            "customer": Customer.objects.get(payer=payer),
            "sort": Paper.Sort.CREDIT,
            "number": found.number,
            "status": "issued",
            "net_cents": found.net,
            "tax_cents": found.total - found.net,
            "total_cents": found.total,
            "pdf": found.pdf,
            "at": now,
        },
    )
