"""What becomes of invoices: written, finalized, paid, voided, credited."""

from __future__ import annotations

from dataclasses import replace

from farm.sandbox.stripe.books import Books, secret
from farm.sandbox.stripe.errors import ApiError, invalid, not_now
from farm.sandbox.stripe.house import House
from farm.sandbox.stripe.payments import confirm, refund
from farm.sandbox.stripe.records import (
    Charge,
    CreditNote,
    Intent,
    IntentStatus,
    Invoice,
    Method,
)
from farm.sandbox.stripe.shown import CREDIT_NOTES, INVOICES
from farm.sandbox.stripe.sums import invoice_sums, rate_of

OPEN = ("open", "uncollectible")


def finalize(house: House, invoice: Invoice) -> Invoice:
    """It gets its number, its sum and its tax for good; nothing to pay is paid at once."""
    books = house.books
    if invoice.status != "draft":
        raise not_now("This invoice is already finalized, you can't re-finalize it.")
    customer = books.customers[invoice.customer]
    if invoice.automatic_tax and rate_of(books, invoice) is None:
        raise not_now(
            "The customer's location isn't recognized. Set a valid customer address in order to"
            " automatically calculate tax.",
            "customer_tax_location_invalid",
        )
    settled = replace(
        invoice,
        status="open",
        number=f"S{customer.id:08d}-{customer.next_invoice:04d}",
        name=customer.name,
        email=customer.email,
        address=customer.address,
        tax_ids=_tax_ids(books, invoice.customer),
        finalized=books.now(),
    )
    books.customers.put(replace(customer, next_invoice=customer.next_invoice + 1))
    books.invoices.put(settled)
    house.tell("invoice.finalized", INVOICES, settled)
    return settle(house, settled, None) if invoice_sums(books, settled).total == 0 else settled


def _tax_ids(books: Books, customer: int) -> tuple[str, ...]:
    return tuple(
        one.value
        for one in books.tax_ids
        if one.customer == customer and one.deleted is None and one.status != "unverified"
    )


def settle(house: House, invoice: Invoice, intent: Intent | None) -> Invoice:
    """It is paid: by this payment, or, without one, elsewhere or by nothing at all."""
    owed = invoice_sums(house.books, invoice).total - invoice.credited_before
    paid = house.books.invoices.put(
        replace(
            invoice,
            status="paid",
            paid=house.books.now(),
            amount_paid=owed,
            intent=intent.id if intent else invoice.intent,
            out_of_band=intent is None and owed > 0,
        )
    )
    house.tell("invoice.paid", INVOICES, paid)
    if intent:
        house.tell("invoice.payment_succeeded", INVOICES, paid)
    return paid


def pay(house: House, invoice: Invoice, method: Method | None, *, off_session: bool) -> Invoice:
    """Charge the card; 402 where that fails, and the invoice stays open."""
    books = house.books
    if invoice.status not in OPEN:
        sentence = "Invoice is already paid" if invoice.status == "paid" else "Invoice is not open"
        raise not_now(sentence, "invoice_already_paid" if invoice.status == "paid" else "")
    customer = books.customers.get(invoice.customer)
    card = method.id if method else invoice.method or (customer.method if customer else None)
    if card is None:
        raise not_now(
            "There is no payment method: give the invoice or its customer a default one.",
            "invoice_payment_intent_requires_action",
        )
    tried = books.invoices.put(replace(invoice, attempts=invoice.attempts + 1))
    intent = intent_of(books, tried, card)
    tried = books.invoices.put(replace(tried, intent=intent.id))
    try:
        after = confirm(house, intent, off_session=off_session)
    except ApiError as refusal:
        house.tell("invoice.payment_failed", INVOICES, tried)
        if refusal.code == "authentication_required":
            house.tell("invoice.payment_action_required", INVOICES, tried)
        raise
    if after.status is IntentStatus.SUCCEEDED:
        return settle(house, tried, after)
    return house.tell("invoice.payment_action_required", INVOICES, tried)


def intent_of(books: Books, invoice: Invoice, card: int) -> Intent:
    """The payment of an invoice, one for all tries."""
    owed = invoice_sums(books, invoice).total - invoice.credited_before
    known = books.intents.get(invoice.intent)
    fresh = Intent(
        id=known.id if known else books.next_id(),
        created=known.created if known else books.now(),
        amount=owed,
        currency=invoice.currency,
        status=IntentStatus.NEEDS_CONFIRMATION,
        secret=known.secret if known else secret(),
        customer=invoice.customer,
        method=card,
        description=invoice.description or f"Payment for Invoice {invoice.number}",
        invoice=invoice.id,
    )
    return books.intents.put(fresh)


def paid_by(house: House, intent: Intent) -> None:
    """A payment has come about: the invoice that it was for is paid."""
    invoice = house.books.invoices.get(intent.invoice)
    if invoice and invoice.status in OPEN and intent.status is IntentStatus.SUCCEEDED:
        settle(house, invoice, intent)


def void(house: House, invoice: Invoice) -> Invoice:
    """It never was to be paid."""
    if invoice.status not in OPEN:
        raise not_now("You can only pass in open or uncollectible invoices.")
    gone = replace(invoice, status="void", voided=house.books.now())
    return house.tell("invoice.voided", INVOICES, house.books.invoices.put(gone))


def give_up(house: House, invoice: Invoice) -> Invoice:
    """Nobody believes any more that it will be paid."""
    if invoice.status != "open":
        raise not_now("You can only pass in open invoices.")
    lost = replace(invoice, status="uncollectible", uncollectible=house.books.now())
    return house.tell("invoice.marked_uncollectible", INVOICES, house.books.invoices.put(lost))


def credit(
    house: House,
    invoice: Invoice,
    wish: CreditNote,
    *,
    refund_amount: int,
    reason: str,
) -> CreditNote:
    """Take a part back; of a paid invoice `refund_amount` of it goes to the card it came from."""
    books = house.books
    if invoice.status not in ("open", "paid"):
        raise not_now("Credit notes can only be created for open or paid invoices.")
    sums = invoice_sums(books, invoice)
    left = sums.total - invoice.credited_before - invoice.credited_after
    if wish.amount > left:
        raise invalid("amount", f"is more than what is left of the invoice ({left})")
    paid = invoice.status == "paid"
    if refund_amount + wish.out_of_band != (wish.amount if paid else 0):
        raise not_now(
            "The sum of refund_amount, credit_amount and out_of_band_amount must equal the credit"
            " note amount of a paid invoice, and be 0 for one that is open."
        )
    given = None
    if refund_amount:
        given = refund(house, _charge_of(books, invoice), refund_amount, reason="", metadata={})
    note = books.credit_notes.put(
        replace(
            wish,
            tax=round(wish.amount * sums.tax / sums.total) if sums.total else 0,
            reason=reason,
            refund=given.id if given else None,
            after_payment=paid,
        )
    )
    before, after = (0, note.amount) if paid else (note.amount, 0)
    kept = books.invoices.put(
        replace(
            invoice,
            credited_before=invoice.credited_before + before,
            credited_after=invoice.credited_after + after,
        )
    )
    house.tell("credit_note.created", CREDIT_NOTES, note)
    if not paid and invoice_sums(books, kept).total == kept.credited_before:
        settle(house, kept, None)
    return note


def _charge_of(books: Books, invoice: Invoice) -> Charge:
    intent = books.intents.get(invoice.intent)
    made = books.charges.get(intent.charge) if intent else None
    if made is None:
        raise not_now("The invoice was not paid with a card, so nothing can be refunded to one.")
    return made
