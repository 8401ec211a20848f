"""Money of a wallet that goes back to the card it came from, with its VAT."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action, demand
from farm.accounts.refusals import Refused
from farm.accounts.services import record
from farm.billing.amounts import cents as spelled
from farm.billing.balances import balance_of
from farm.billing.bill_sums import half_up
from farm.billing.customer_rows import Customer, Paper, Refund, TopUp
from farm.billing.gateway_values import CreditNote, CreditWish
from farm.billing.money_in import take_back
from farm.billing.statements import CURRENCY
from farm.billing.transfers import CENT

LONGEST_REASON: Final = 200
LONGEST_TROUBLE: Final = 200
_spelled = lazy(spelled, str)


@transaction.atomic
def refund_top_up(*, actor: User, door: Door, top_up: TopUp, cents: int, reason: str) -> Refund:
    """So many gross cents go back to what paid it, as a credit note on its invoice.

    Only who runs the farm may, and only what is still in the wallet, is set aside for nothing and
    is not on its way back already. Refused says why not; what Stripe refuses the row says later.
    """
    demand(actor, Action.OPERATE_FARM)
    # Of two that come beside each other the second one sees the first.
    customer = Customer.objects.select_for_update(no_key=True).get(pk=top_up.customer_id)
    why = " ".join(reason.split())
    if not why or len(why) > LONGEST_REASON:
        raise Refused(
            "reason", "reason", _("Give a reason of up to 200 letters: the paper says it.")
        )
    _demand_paid(top_up, customer)
    _demand_left(top_up, cents)
    _demand_in_wallet(top_up, customer, cents)
    now = timezone.now()
    asked = Refund.objects.create(
        top_up=top_up, cents=cents, reason=why, asked_by=actor.email, asked_at=now, due_at=now
    )
    account = customer.payer.account
    record(account=account, actor=actor, door=door, verb="refund top-up", subject=top_up.uid)
    return asked


def left_of(top_up: TopUp) -> int:
    """Gross cents of it that are not back, nor on their way."""
    gone = top_up.refunds.exclude(state=Refund.State.REFUSED).aggregate(sum=Sum("cents"))
    return top_up.cents + top_up.tax_cents - (gone["sum"] or 0)


def net_of(top_up: TopUp, cents: int) -> int:
    """The wallet's part of so many gross cents of it."""
    gross = top_up.cents + top_up.tax_cents
    return cents - half_up(cents * CENT * top_up.tax_cents // gross)


def wish_of_refund(asked: Refund) -> CreditWish:
    """Its credit note; by this metadata it is found again, however late."""
    return CreditWish(
        invoice=asked.top_up.invoice,
        cents=asked.cents,
        reason=asked.reason,
        is_paid=True,
        metadata={"refund": asked.uid, "topup": asked.top_up.uid},
    )


def note_done(asked: Refund, found: CreditNote, now: datetime) -> None:
    """Stripe has taken it: the money is on its way, for that reason. The row is not saved."""
    paper = Paper.objects.select_related("customer__payer").get(reference=asked.top_up.invoice)
    take_back(paper, found.total, f"refund:{found.refund}", now, asked.reason)
    asked.state, asked.ended_at, asked.trouble = Refund.State.DONE, now, ""
    asked.note, asked.reference = found.id, found.refund


def note_refused(asked: Refund, why: str, now: datetime) -> None:
    """Stripe will never do it: nothing was moved. The row is not saved."""
    asked.state, asked.ended_at = Refund.State.REFUSED, now
    asked.trouble = why[:LONGEST_TROUBLE]


def _demand_paid(top_up: TopUp, customer: Customer) -> None:
    if top_up.state != TopUp.State.PAID:
        raise Refused("top_up", "not_paid", _("This was not paid in: nothing can go back."))
    if customer.frozen_at:
        sentence = _("A payment of this payer is in question: its bank decides who has the money.")
        raise Refused("top_up", "frozen", sentence)


def _demand_left(top_up: TopUp, cents: int) -> None:
    left = left_of(top_up)
    if not 0 < cents <= left:
        text = _("Of this payment up to {left} can go back, VAT included.")
        sentence = format_lazy(text, left=_spelled(left * CENT, CURRENCY))
        raise Refused("amount", "more_than_paid", sentence)


def _demand_in_wallet(top_up: TopUp, customer: Customer, cents: int) -> None:
    free = balance_of(customer.payer, timezone.now()).available - _on_their_way(customer)
    if net_of(top_up, cents) * CENT > free:
        text = _("Only {free} net of this wallet are not spent or set aside for its agents.")
        sentence = format_lazy(text, free=_spelled(max(free, 0), CURRENCY))
        raise Refused("amount", "more_than_left", sentence)


def _on_their_way(customer: Customer) -> int:
    """Micro-euros, net, of what is asked for and not yet taken from the wallet."""
    asked = Refund.objects.filter(top_up__customer=customer, state=Refund.State.ASKED)
    rows = asked.select_related("top_up")
    return sum(net_of(row.top_up, row.cents) * CENT for row in rows)
