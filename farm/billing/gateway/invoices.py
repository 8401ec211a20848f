"""Invoices and what is taken back of them."""

from __future__ import annotations

import stripe

from farm.billing import gateway_reading as reading
from farm.billing import gateway_values as values
from farm.billing.gateway.line import TAX_CODE, Line, once, plain, sorted_errors


class Invoices(Line):
    """Written, collected, sent, credited."""

    def write_invoice(self, wish: values.InvoiceWish, key: str) -> values.Invoice:
        """An open invoice with its lines; asked again with the key, it goes on where it was."""
        by_hand: stripe.params.InvoiceCreateParams = {"collection_method": "charge_automatically"}
        if wish.days is not None:
            by_hand = {"collection_method": "send_invoice", "days_until_due": wish.days}
        with sorted_errors():
            draft = self.client.v1.invoices.create(
                {
                    "customer": wish.customer,
                    "auto_advance": False,
                    "automatic_tax": {"enabled": True},
                    "description": wish.what,
                    "metadata": dict(wish.metadata),
                    **by_hand,
                    **({"default_payment_method": wish.method} if wish.method else {}),
                },
                once(key),
            )
            for line in wish.lines:
                self._add_line(wish.customer, draft.id, line, f"{key}:{line.key}")
            done = self.client.v1.invoices.finalize_invoice(
                draft.id, {"auto_advance": False}, once(f"{key}:finalize")
            )
        return reading.invoice_of(plain(done))

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
                "metadata": dict(line.metadata),
            },
            once(key),
        )

    def collect(self, invoice: str, key: str) -> values.Invoice:
        """Charge an open invoice's card; Declined or NeedsAuthentication leave it open."""
        with sorted_errors():
            paid = self.client.v1.invoices.pay(invoice, {"off_session": True}, once(key))
        return reading.invoice_of(plain(paid))

    def send(self, invoice: str, key: str) -> values.Invoice:
        """Have Stripe mail it to its customer."""
        with sorted_errors():
            sent = self.client.v1.invoices.send_invoice(invoice, None, once(key))
        return reading.invoice_of(plain(sent))

    def credit(self, wish: values.CreditWish, key: str) -> values.CreditNote:
        """Take a part of an invoice back."""
        asked: stripe.params.CreditNoteCreateParams = {
            "invoice": wish.invoice,
            "amount": wish.cents,
            "memo": wish.reason,
            "metadata": dict(wish.metadata),
        }
        if wish.is_paid:
            asked["refund_amount"] = wish.cents
        with sorted_errors():
            made = self.client.v1.credit_notes.create(asked, once(key))
        return reading.credit_note_of(plain(made))
