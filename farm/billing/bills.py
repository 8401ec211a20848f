"""Bills of trusted payers: a month closed once, what becomes of each, when one is overdue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q, Sum
from django.utils.translation import gettext

from farm.bell import ring
from farm.billing.bill_drafts import Draft, drafts_of
from farm.billing.bill_rows import Bill, BillCredit, BillLine, BillRound
from farm.billing.bill_sums import half_up
from farm.billing.customer_rows import Customer
from farm.billing.gateway_values import Invoice
from farm.billing.ledger import SETTLED, post
from farm.billing.ledger_rows import Book
from farm.billing.money_in import look_soon
from farm.billing.rule import begin_of, next_month
from farm.billing.statements import CURRENCY
from farm.billing.transfers import CENT, Side, move, of_payer

AT_ONCE = 1_000
SEEN = timedelta(days=3)
"""How long the operator is told of what the payment house refused for good."""
LEARNT = (
    *("invoice", "number", "page", "tax_cents", "paid_cents", "state", "paid_at"),
    *("problem", "overdue_at"),
)
BILL = "bill"
"""In metadata at the payment house: whose invoice it is, by the bill's uid."""


class NotOver(Exception):  # noqa: N818
    """The month still runs, or its last hours are being written; `until` is when it is over."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"not over before {until:%F %H:%M} UTC")
        self.until = until


def over_at(month: date) -> datetime:
    """When the last hours of that month are written, if the meter runs."""
    return begin_of(next_month(month)) + SETTLED


@transaction.atomic
def close_month(month: date, now: datetime) -> Sequence[Bill]:
    """Make the bills of that month that are not made yet; answers those. NotOver before its end.

    Posts what is not yet posted of it. However often it runs, and beside others of its kind, each
    trusted payer has one bill of a month; what is written later goes to the next one.
    """
    if now < over_at(month):
        raise NotOver(over_at(month))
    # Whoever posts holds a row of the ledger until the end: nobody closes beside this one.
    post(now)
    drafts = drafts_of(month)
    bills = Bill.objects.bulk_create([_bill(draft, now) for draft in drafts], AT_ONCE)
    lines = [
        line for draft, bill in zip(drafts, bills, strict=True) for line in _lines(draft, bill)
    ]
    BillLine.objects.bulk_create(lines, AT_ONCE)
    ring()
    return bills


def trouble(now: datetime) -> str:
    """Why bills are not made, sent or given back; "" while nothing is in the way."""
    unpaid = Bill.objects.filter(state__in=(Bill.State.CLOSED, Bill.State.OPEN))
    lately = Q(state=BillCredit.State.REFUSED, ended_at__gt=now - SEEN)
    asked = BillCredit.objects.filter(Q(state=BillCredit.State.ASKED) | lately)
    rows = (unpaid.exclude(trouble=""), asked.exclude(trouble=""), BillRound.objects.all())
    return next((row.trouble for found in rows for row in found[:1] if row.trouble), "")


@transaction.atomic
def learn_invoice(found: Invoice, now: datetime) -> bool:
    """What the payment house says of a bill's invoice now; False if it is no bill's.

    However often and in whatever order it is told, each cent is posted once.
    """
    bills = Bill.objects.select_for_update(no_key=True)
    bill = bills.filter(uid=found.metadata.get(BILL, "")).first()
    if bill is None or found.status == "draft":
        return bill is not None
    bill.invoice, bill.number, bill.page = found.id, found.number, found.page
    bill.tax_cents, bill.paid_cents = found.tax, found.paid
    match found.status:
        case "paid":
            _settle(bill, found, now)
        case "void":
            _take_back(bill, now)
        case _ if bill.state == Bill.State.CLOSED:
            bill.state = Bill.State.OPEN
    bill.save(update_fields=LEARNT)
    return True


def _settle(bill: Bill, found: Invoice, now: datetime) -> None:
    """Somebody has paid it, in whatever way: nothing is held against them any more."""
    tax = half_up(found.paid * found.tax * CENT // found.total) if found.total else 0
    house = Side(Book.HOUSE)
    for micros, side, word in (
        (found.paid - tax, of_payer(bill.payer), "net"),
        (tax, Side(Book.VAT), "tax"),
    ):
        if micros > 0:
            move(
                debit=house,
                credit=side,
                micros=micros * CENT,
                source=f"bill:{bill.uid}:{word}",
                now=now,
            )
    bill.state, bill.paid_at = Bill.State.PAID, bill.paid_at or now
    bill.problem, bill.overdue_at = "", None
    look_soon(Customer.objects.get(payer=bill.payer), now)


def _take_back(bill: Bill, now: datetime) -> None:
    """It was never to be paid: what of it was not credited is forgiven."""
    credited = bill.credits.filter(state=BillCredit.State.DONE).aggregate(sum=Sum("net_cents"))
    left = bill.net_cents - (credited["sum"] or 0)
    if left > 0:
        move(
            debit=Side(Book.CORRECTED),
            credit=of_payer(bill.payer),
            micros=left * CENT,
            source=f"bill:{bill.uid}:void",
            now=now,
            reason=gettext("The invoice was voided."),
        )
    bill.state, bill.problem, bill.overdue_at = Bill.State.VOID, "", None


def _bill(draft: Draft, now: datetime) -> Bill:
    cents = draft.net_cents
    return Bill(
        payer=draft.payer,
        month=draft.month,
        state=Bill.State.CLOSED if cents else Bill.State.NOTHING,
        currency=CURRENCY,
        net_micros=draft.net_micros,
        carried_micros=draft.carried_micros,
        net_cents=cents,
        closed_at=now,
        due_at=now if cents else None,
    )


def _lines(draft: Draft, bill: Bill) -> Sequence[BillLine]:
    return [
        BillLine(
            bill=bill,
            month=item.part.month,
            agent_uid=item.part.agent_uid,
            agent_name=item.part.name,
            machine_micros=item.part.machine,
            ai_micros=item.part.ai,
            fee_micros=item.part.fee,
            micros=item.micros,
            cents=item.cents,
        )
        for item in draft.items
    ]
