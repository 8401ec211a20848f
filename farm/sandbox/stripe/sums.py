"""What an invoice or a checkout comes to: its lines, and the VAT of whoever buys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from farm.sandbox.stripe.books import Books
from farm.sandbox.stripe.records import Invoice, Item, Line, Session
from farm.sandbox.stripe.tax import Rate, rate_for


@dataclass(frozen=True, slots=True)
class Sums:
    """Cents: the lines as written, the tax in or on them, and what there is to pay."""

    subtotal: int
    tax: int
    total: int


def line_tax(line: Line, rate: Rate | None) -> int:
    """The VAT in or on one line."""
    if rate is None:
        return 0
    return rate.within(line.amount) if line.inclusive else rate.on(line.amount)


def items_of(books: Books, invoice: Invoice) -> Sequence[Item]:
    """Its lines, the first first."""
    return [one for one in books.items if one.invoice == invoice.id and one.deleted is None]


def is_company(books: Books, customer: int | None) -> bool:
    """Whether the customer has a VAT id that no tax office denies."""
    return any(
        one.customer == customer and one.deleted is None and one.status != "unverified"
        for one in books.tax_ids
        if one.type == "eu_vat"
    )


def country_of(books: Books, customer: int | None) -> str:
    """Where the customer is, "" if nobody knows."""
    known = books.customers.get(customer)
    return known.address.country if known and known.address else ""


def rate_of(books: Books, paper: Invoice | Session) -> Rate | None:
    """Whose VAT a paper bears; None if it asks for none, or nobody knows where the buyer is."""
    if not paper.automatic_tax:
        return None
    own = paper.buyer_address if isinstance(paper, Session) else paper.address
    country = own.country if own and own.country else country_of(books, paper.customer)
    if isinstance(paper, Invoice) and paper.finalized:
        return rate_for(country, company=bool(paper.tax_ids)) if country else None
    return rate_for(country, company=is_company(books, paper.customer)) if country else None


def sums_of(lines: Sequence[Line], rate: Rate | None) -> Sums:
    """All lines together; tax is rounded line by line."""
    subtotal = sum(line.amount for line in lines)
    tax = sum(line_tax(line, rate) for line in lines)
    added = sum(line_tax(line, rate) for line in lines if not line.inclusive)
    return Sums(subtotal, tax, subtotal + added)


def invoice_sums(books: Books, invoice: Invoice) -> Sums:
    """What an invoice comes to."""
    lines = [
        Line(item.description, item.amount, item.quantity, item.inclusive)
        for item in items_of(books, invoice)
    ]
    return sums_of(lines, rate_of(books, invoice))
