"""Invoices and what is taken back of them."""

from __future__ import annotations

import stripe

from farm.billing import gateway_reading as reading
from farm.billing import gateway_values as values
from farm.billing.gateway.line import TAX_CODE, Line, once, plain, sorted_errors


class Invoices(Line):
    """Written, collected, sent, credited."""

    def write_invoice(self, wish: values.InvoiceWish, key: str) -> values.Invoice:
        """An open invoice with its lines; asked again, however late, it goes on where it was.

        What was begun is known by the wish's metadata, which must name nothing else.
        """
        with sorted_errors():
            written = self._begun(wish) or self._begin(wish, key)
            if written.status == "draft":
                self._fill(written.id, wish, key)
                written = self.client.v1.invoices.finalize_invoice(
                    written.id, {"auto_advance": False}
                )
        return reading.invoice_of(plain(written))

    def _begun(self, wish: values.InvoiceWish) -> stripe.Invoice | None:
        mine = self.client.v1.invoices.list({"customer": wish.customer, "limit": 100})
        for one in mine.auto_paging_iter():
            if _bears(plain(one), wish.metadata):
                return one
        return None

    def _begin(self, wish: values.InvoiceWish, key: str) -> stripe.Invoice:
        by_hand: stripe.params.InvoiceCreateParams = {"collection_method": "charge_automatically"}
        if wish.days is not None:
            by_hand = {"collection_method": "send_invoice", "days_until_due": wish.days}
        return self.client.v1.invoices.create(
            {
                "customer": wish.customer,
                "auto_advance": False,
                "automatic_tax": {"enabled": wish.with_vat},
                "description": wish.what,
                "metadata": dict(wish.metadata),
                **by_hand,
                **({"default_payment_method": wish.method} if wish.method else {}),
            },
            once(key),
        )

    def _fill(self, invoice: str, wish: values.InvoiceWish, key: str) -> None:
        """Add the lines that are not there: keys are forgotten after a day, what is there stays."""
        there = self.client.v1.invoice_items.list({"invoice": invoice, "limit": 100})
        lines = {reading.line_key(plain(one)) for one in there.auto_paging_iter()}
        for line in wish.lines:
            if line.key not in lines:
                self._add_line(wish.customer, invoice, line, f"{key}:{line.key}")

    def _add_line(self, customer: str, invoice: str, line: values.Line, key: str) -> None:
        self.client.v1.invoice_items.create(
            {
                "customer": customer,
                "invoice": invoice,
                "amount": line.cents,
                "currency": "eur",
                "description": line.what,
                "period": {
                    "start": int(line.begins.timestamp()),
                    "end": int(line.ends.timestamp()),
                },
                "tax_behavior": "exclusive",
                "tax_code": TAX_CODE,
                "metadata": {**line.metadata, reading.LINE: line.key},
            },
            once(key),
        )

    def collect(self, invoice: str, key: str, method: str = "") -> values.Invoice:
        """Charge an open invoice, to this card or its own one; Declined leaves it open."""
        asked: stripe.params.InvoicePayParams = {"off_session": True}
        if method:
            asked["payment_method"] = method
        with sorted_errors():
            paid = self.client.v1.invoices.pay(invoice, asked, once(key))
        return reading.invoice_of(plain(paid))

    def void(self, invoice: str, key: str) -> values.Invoice:
        """Nobody is to pay it any more; Rejected for one that is paid or void already."""
        with sorted_errors():
            gone = self.client.v1.invoices.void_invoice(invoice, None, once(key))
        return reading.invoice_of(plain(gone))

    def send(self, invoice: str, key: str) -> values.Invoice:
        """Have Stripe mail it to its customer."""
        with sorted_errors():
            sent = self.client.v1.invoices.send_invoice(invoice, None, once(key))
        return reading.invoice_of(plain(sent))

    def credit(self, wish: values.CreditWish, key: str) -> values.CreditNote:
        """Take a part of an invoice back; asked again, however late, it is the same one."""
        asked: stripe.params.CreditNoteCreateParams = {
            "invoice": wish.invoice,
            "amount": wish.cents,
            "memo": wish.reason,
            "metadata": dict(wish.metadata),
        }
        if wish.is_paid:
            asked["refund_amount"] = wish.cents
        with sorted_errors():
            made = self._credited(wish) or self.client.v1.credit_notes.create(asked, once(key))
        return reading.credit_note_of(plain(made))

    def _credited(self, wish: values.CreditWish) -> stripe.CreditNote | None:
        notes = self.client.v1.credit_notes.list({"invoice": wish.invoice, "limit": 100})
        for one in notes.auto_paging_iter():
            if _bears(plain(one), wish.metadata):
                return one
        return None


def _bears(shown: reading.Object, metadata: values.Metadata) -> bool:
    """Whether it is what this metadata was given to; no metadata is nobody's."""
    found = reading.part(shown, "metadata")
    return bool(metadata) and all(found.get(key) == value for key, value in metadata.items())
