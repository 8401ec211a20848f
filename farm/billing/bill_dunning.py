"""What becomes of a bill that its bank does not pay: tried again, told of, then overdue."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from farm.billing.bill_rows import Bill
from farm.billing.customer_rows import Customer
from farm.billing.gateway_errors import DECLINES, OTHERWISE, Declined

RETRIES: Final = (timedelta(days=3), timedelta(days=5), timedelta(days=7))
"""How long after each try that failed a card is tried again; after the last no more."""
GIVEN: Final = sum(RETRIES, timedelta())
LOOK: Final = timedelta(days=1)
"""How often an unpaid bill is looked at."""


def next_try(bill: Bill) -> datetime | None:
    """When the card that was tried is tried again; None before the first try, and after the last.

    Another card is tried at once.
    """
    if bill.tried_at is None or bill.tries > len(RETRIES):
        return None
    return bill.tried_at + RETRIES[bill.tries - 1]


def is_to_be_tried(bill: Bill, customer: Customer, now: datetime) -> bool:
    """Whether its payer's card is charged now."""
    if not customer.card or customer.frozen_at:
        return False
    if bill.tried_card != customer.card:
        return True
    at = next_try(bill)
    return at is not None and at <= now


def is_late(bill: Bill, customer: Customer, now: datetime) -> bool:
    """Whether nothing is to be waited for any more: no try is to come, or the time is over."""
    if customer.frozen_at or bill.payable_until is None:
        return False
    return bill.payable_until <= now or (bill.tries > 0 and next_try(bill) is None)


def note_failed(bill: Bill, card: str, error: Declined, now: datetime) -> None:
    """Its card was tried in vain, another one for the first time; the row is not saved."""
    bill.tries = bill.tries + 1 if bill.tried_card == card else 1
    bill.tried_card, bill.tried_at = card, now
    bill.problem = error.code[:60]
    bill.payable_until = bill.payable_until or now + GIVEN


def nap_of(bill: Bill, now: datetime) -> timedelta:
    """How long until it is looked at again."""
    moments = [next_try(bill), bill.payable_until]
    naps = [at - now for at in moments if at and at > now]
    return min([LOOK, *naps])


def problem_of(bill: Bill) -> str | Promise:
    """What its payer reads of a payment that failed; "" while none did."""
    return DECLINES.get(bill.problem, OTHERWISE) if bill.problem else ""


def sentence_of(bill: Bill) -> str | Promise:
    """How a bill stands, in a sentence."""
    if bill.state != Bill.State.OPEN:
        return SENTENCES[Bill.State(bill.state)]
    if bill.overdue_at:
        return _("It is overdue: pay it now, so that your agents go on.")
    if bill.tries and (at := next_try(bill)) and at > timezone.now():
        return _("The card was refused; it is charged again in a few days. You can pay now.")
    return _("It waits for your payment.") if bill.payable_until else _("It is being charged.")


SENTENCES: Final = {
    Bill.State.CLOSED: _("The month is closed; the invoice is being written."),
    Bill.State.NOTHING: _("There is nothing to pay for this month."),
    Bill.State.PAID: _("It is paid. Thank you."),
    Bill.State.VOID: _("It was taken back: there is nothing to pay."),
}
