"""Bills on their way: sent once, charged or waited for, tried again, overdue; credits beside."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from farm.agents.reconciler.bill_letters import write_that_it_failed, write_that_it_is_overdue
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.stripe_waits import NO_KEY, OPERATOR_TAKES, after_trouble, wait
from farm.agents.reconciler.troubles import Nap
from farm.billing.bill_credits import learn_credit, refuse_credit, wish_of_credit
from farm.billing.bill_dunning import is_late, is_to_be_tried, nap_of, note_failed
from farm.billing.bill_rows import Bill, BillCredit
from farm.billing.bill_wishes import wish_of
from farm.billing.customers import customer_of, reference_of
from farm.billing.gateway_errors import Declined, GatewayError, Rejected
from farm.billing.gateway_values import Found, Invoice
from farm.billing.learning import learn_found
from farm.billing.money_in import look_soon
from farm.billing.opening import gateway

if TYPE_CHECKING:
    from farm.billing.customer_rows import Customer
    from farm.billing.gateway import Gateway

logger = logging.getLogger(__name__)
AT_ONCE = timedelta(0)


def unpaid() -> Q:
    """Bills about which something is left to be done."""
    return Q(state__in=(Bill.State.CLOSED, Bill.State.OPEN))


def drive_bill(claim: Claim[Bill]) -> Nap:
    """Send it, or see whether it is paid, and charge or wait; None once nothing is to come."""
    house = gateway()
    if house is None:
        return wait(claim, OPERATOR_TAKES, NO_KEY)
    try:
        nap = _step(claim, house)
    except GatewayError as error:
        return after_trouble(claim, error)
    claim.row.attempts = 0
    return nap


def _step(claim: Claim[Bill], house: Gateway) -> Nap:
    bill = claim.row
    customer = customer_of(bill.payer)
    if bill.state == Bill.State.CLOSED:
        reference_of(customer, house)
        _learn(claim, house.write_invoice(wish_of(bill, customer), f"bill:{bill.uid}"))
        return AT_ONCE
    _learn(claim, house.find("invoice", bill.invoice))
    if bill.state != Bill.State.OPEN:
        return None
    if is_to_be_tried(bill, customer, timezone.now()):
        return _charge(claim, house, customer)
    if bill.payable_until is None and not customer.card:
        _send(claim, house)
    return _wait_or_call_overdue(claim, customer)


def _learn(claim: Claim[Bill], found: Found | None) -> None:
    """What it is now, written down where all that Stripe says is."""
    with claim.recording():
        if isinstance(found, Invoice):
            learn_found(found, timezone.now())
        if claim.row.trouble:
            claim.row.trouble = ""
            claim.save("trouble")
    claim.row.refresh_from_db()


def _charge(claim: Claim[Bill], house: Gateway, customer: Customer) -> Nap:
    """Its card, with a key of this try: killed before its end, the same answer comes again."""
    bill, card = claim.row, customer.card
    try:
        found = house.collect(bill.invoice, f"bill:{bill.uid}:{bill.tried_at}:{card}", card)
    except Declined as error:
        return _after_refusal(claim, customer, error)
    _learn(claim, found)
    return None


def _after_refusal(claim: Claim[Bill], customer: Customer, error: Declined) -> Nap:
    """Tell who pays when it is tried again, or that nothing is waited for any more."""
    bill, now = claim.row, timezone.now()
    note_failed(bill, customer.card, error, now)
    with claim.recording():
        claim.save("tries", "tried_card", "tried_at", "problem", "payable_until")
    if bill.overdue_at is None and is_late(bill, customer, now):
        return _wait_or_call_overdue(claim, customer)
    write_that_it_failed(bill, customer)
    return nap_of(bill, now)


def _send(claim: Claim[Bill], house: Gateway) -> None:
    """Without a card it is to be paid by hand: Stripe mails it."""
    bill = claim.row
    house.send(bill.invoice, f"bill:{bill.uid}:send")
    bill.payable_until = timezone.now() + timedelta(days=settings.BILL_DAYS)
    with claim.recording():
        claim.save("payable_until")


def _wait_or_call_overdue(claim: Claim[Bill], customer: Customer) -> Nap:
    """Stripe was just asked: what is not paid by now is surely not."""
    bill, now = claim.row, timezone.now()
    if bill.overdue_at is None and is_late(bill, customer, now):
        with claim.recording():
            # Somebody may just have heard that it is paid.
            waiting = Bill.objects.filter(pk=bill.pk, state=Bill.State.OPEN)
            called = waiting.update(overdue_at=now)
            look_soon(customer, now)
        if called:
            write_that_it_is_overdue(bill, customer)
    return nap_of(bill, now)


def drive_bill_credit(claim: Claim[BillCredit]) -> Nap:
    """Have the credit note made, once; what Stripe refuses for good is told and left."""
    asked, house = claim.row, gateway()
    if asked.state != BillCredit.State.ASKED:
        return None
    if house is None:
        return wait(claim, OPERATOR_TAKES, NO_KEY)
    now = timezone.now()
    try:
        paper = house.find("invoice", asked.bill.invoice)
        note = house.credit(wish_of_credit(asked), f"credit:{asked.uid}")
    except Rejected as error:
        logger.exception("Stripe refuses to credit %s.", asked)
        with claim.recording():
            refuse_credit(asked, str(error), now)
        return None
    except GatewayError as error:
        return after_trouble(claim, error)
    with claim.recording():
        for found in (paper, note):
            if found:
                learn_found(found, now)
        learn_credit(asked, note, now)
    return None
