"""Parts of bills that the operator takes back: a credit note, and the money where some was paid."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action, demand
from farm.accounts.refusals import Refused
from farm.accounts.services import record
from farm.billing.bill_rows import Bill, BillCredit
from farm.billing.bills import BILL
from farm.billing.customer_rows import Paper
from farm.billing.gateway_values import CreditNote, CreditWish
from farm.billing.ledger_rows import Book, Transfer
from farm.billing.money_in import take_back
from farm.billing.transfers import CENT, Side, move, of_payer

LONGEST_REASON = 200
CREDITABLE = (Bill.State.OPEN, Bill.State.PAID)


@transaction.atomic
def credit_bill(*, actor: User, door: Door, bill: Bill, cents: int, reason: str) -> BillCredit:
    """Have so much of a bill, with VAT, taken back; a worker does it. `cents` 0: all that is left.

    Refused for more than is left of it, without a reason, and before it was sent.
    """
    demand(actor, Action.OPERATE_FARM)
    held = Bill.objects.select_for_update(no_key=True).get(pk=bill.pk)
    why = checked_reason(reason)
    if held.state not in CREDITABLE:
        sentence = _("Only a bill that was sent, and not taken back, can be credited.")
        raise Refused("bill", "bill_state", sentence)
    left = left_of(held)
    if not 0 < (cents or left) <= left:
        sentence = _("Of this bill %(left)s are left: give no more than that.")
        raise Refused("amount", "too_much", sentence % {"left": f"{left / 100:.2f} EUR"})
    now = timezone.now()
    asked = BillCredit.objects.create(
        bill=held,
        cents=cents or left,
        reason=why,
        asked_by=actor.email,
        asked_at=now,
        due_at=now,
    )
    account = held.payer.account
    record(account=account, actor=actor, door=door, verb="credit bill", subject=held.uid)
    return asked


def checked_reason(reason: str) -> str:
    """One line that says why; Refused for none, or for a novel."""
    why = " ".join(reason.split())
    if not why or len(why) > LONGEST_REASON or not why.isprintable():
        raise Refused("reason", "reason", _("Say why, in up to 200 letters: it is kept for good."))
    return why


def left_of(bill: Bill) -> int:
    """Cents with VAT that are neither taken back nor about to be."""
    taken = bill.credits.exclude(state=BillCredit.State.REFUSED).aggregate(sum=Sum("cents"))
    return bill.net_cents + bill.tax_cents - (taken["sum"] or 0)


def wish_of_credit(asked: BillCredit) -> CreditWish:
    """What is asked of the payment house; of a paid bill the money goes back."""
    return CreditWish(
        invoice=asked.bill.invoice,
        cents=asked.cents,
        reason=asked.reason,
        is_paid=asked.bill.state == Bill.State.PAID,
        metadata={"credit": asked.uid, BILL: asked.bill.uid},
    )


@transaction.atomic
def learn_credit(asked: BillCredit, found: CreditNote, now: datetime) -> None:
    """It is done: what was owed for it is forgiven, and what was paid for it has gone back."""
    if found.refund:
        paper = Paper.objects.get(reference=asked.bill.invoice)
        take_back(paper, found.total, f"refund:{found.refund}", now, asked.reason)
    move(
        debit=Side(Book.CORRECTED),
        credit=of_payer(asked.bill.payer),
        micros=_forgiven(found),
        source=f"credit:{asked.uid}:net",
        now=now,
        reason=asked.reason,
    )
    asked.state, asked.ended_at, asked.trouble = BillCredit.State.DONE, now, ""
    asked.note, asked.refund, asked.net_cents = found.id, found.refund, found.net
    asked.save(
        update_fields=["state", "ended_at", "trouble", "note", "refund", "net_cents"],
    )


def _forgiven(found: CreditNote) -> int:
    """As much as went back, whoever posted that; of what was not paid, the note's net."""
    back = Transfer.objects.filter(source=f"refund:{found.refund}:net").first()
    return back.amount_micros if back else found.net * CENT


def refuse_credit(asked: BillCredit, why: str, now: datetime) -> None:
    """The payment house will never do it: nothing was moved."""
    asked.state, asked.ended_at, asked.trouble = BillCredit.State.REFUSED, now, why[:200]
    asked.save(update_fields=["state", "ended_at", "trouble"])
