"""VAT numbers of customers, and what the tax office says of them."""

from __future__ import annotations

from dataclasses import replace

from farm.sandbox.stripe.errors import invalid
from farm.sandbox.stripe.house import House
from farm.sandbox.stripe.records import Customer, TaxId
from farm.sandbox.stripe.shown import TAX_IDS
from farm.sandbox.stripe.tax import country_of_vat, verification_of


def add_tax_id(house: House, customer: Customer, kind: str, value: str) -> TaxId:
    """Keep it, and have it looked up; tax_id_invalid if it is written as none."""
    if kind != "eu_vat":
        raise invalid("type", "this house knows eu_vat alone")
    country, books = country_of_vat(value), house.books
    if country is None:
        raise invalid("value", f"{value} is no VAT number of the European Union", "tax_id_invalid")
    written = "".join(value.upper().split()).replace(".", "")
    kept = books.tax_ids.put(
        TaxId(books.next_id(), books.now(), customer.id, kind, written, country, "pending")
    )
    house.tell("customer.tax_id.created", TAX_IDS, kept)
    status = verification_of(written)
    if status == "pending":
        return kept
    looked_up = books.tax_ids.put(replace(kept, status=status))
    return house.tell("customer.tax_id.updated", TAX_IDS, looked_up)
