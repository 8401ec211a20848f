"""How a payer pays, changed by who runs the farm: what it used before is settled first."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from django.conf import settings
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
from farm.billing.ai_rows import AiDay
from farm.billing.amounts import cents as spelled
from farm.billing.balances import balance_of
from farm.billing.bill_rows import Bill
from farm.billing.customer_rows import Customer, TopUp
from farm.billing.customers import customer_of
from farm.billing.ledger_rows import BEFORE, Book
from farm.billing.models import Payer, UsageLine
from farm.billing.rule import month_of
from farm.billing.statements import CURRENCY
from farm.billing.transfers import CENT, Side, move, of_payer

WAITING: Final = (TopUp.State.ASKED, TopUp.State.OPEN)
_spelled = lazy(spelled, str)
INTERNAL, WALLET, INVOICE = Payer.Kind.INTERNAL, Payer.Kind.WALLET, Payer.Kind.INVOICE


@transaction.atomic
def set_payer_kind(*, actor: User, door: Door, payer: Payer, kind: Payer.Kind) -> Payer:
    """Have it pay in advance, by the month or not at all from now on; only who runs the farm may.

    What an internal payer used is collected from nobody. A wallet is left with nothing in it and
    nothing owed: money is paid back, never moved to somebody else. Refused says why not.
    """
    demand(actor, Action.OPERATE_FARM)
    payer = Payer.objects.select_for_update(no_key=True).get(pk=payer.pk)
    if payer.kind == kind:
        return payer
    if kind != INTERNAL and not settings.STRIPE_SECRET_KEY:
        sentence = _("This farm takes no payments yet: give it Stripe's keys first.")
        raise Refused("kind", "no_payments", sentence)
    now = timezone.now()
    Customer.objects.filter(payer=payer).update(due_at=now)
    _demand_settled(payer, now)
    if INTERNAL in (payer.kind, kind) or payer.kind == WALLET:
        _forget_what_is_owed(payer, kind, now)
    payer.kind = kind
    payer.save(update_fields=["kind"])
    if kind != INTERNAL:
        customer_of(payer)
    record(account=payer.account, actor=actor, door=door, verb=f"pay {kind}", subject=payer.uid)
    return payer


def _demand_settled(payer: Payer, now: datetime) -> None:
    left = balance_of(payer, now).left
    if payer.kind == WALLET and abs(left) >= CENT:
        text = _("This wallet stands at {left}: have it paid, pay it back or correct it first.")
        raise Refused("kind", "not_empty", format_lazy(text, left=_spelled(left, CURRENCY)))
    if TopUp.objects.filter(customer__payer=payer, state__in=WAITING).exists():
        sentence = _(
            "A payment of this payer is under way: wait until it has ended, a day at most."
        )
        raise Refused("kind", "under_way", sentence)
    unpaid = Bill.objects.filter(payer=payer, state__in=(Bill.State.CLOSED, Bill.State.OPEN))
    if unpaid.exists():
        sentence = _("A bill of this payer is not paid yet: have it paid, or take it back, first.")
        raise Refused("kind", "bill_open", sentence)


def _forget_what_is_owed(payer: Payer, kind: Payer.Kind, now: datetime) -> None:
    """What stands there was never to be collected, or is less than a cent.

    A bill has the whole month's use on it: what of that is forgiven stands apart.
    """
    left = balance_of(payer, now).left
    used = _used(payer, month_of(now)) if kind == INVOICE else 0
    source = f"kind:{payer.uid}:{now.isoformat()}"
    for name, stands in ((source, -used), (f"{source}{BEFORE}", left + used)):
        corrected, own = Side(Book.CORRECTED), of_payer(payer)
        debit, credit = (corrected, own) if stands < 0 else (own, corrected)
        if stands:
            move(
                debit=debit,
                credit=credit,
                micros=abs(stands),
                source=name,
                now=now,
                reason=f"to {kind}",
            )


def _used(payer: Payer, month: date) -> int:
    lines = UsageLine.objects.filter(payer=payer, month=month)
    days = AiDay.objects.filter(payer_uid=payer.uid, day__gte=month)
    machines = lines.aggregate(sum=Sum("micros"))["sum"] or 0
    thought = days.aggregate(sum=Sum("cost_micros"))["sum"] or 0
    return int(machines + thought)
