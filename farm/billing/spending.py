"""Whether a payer may spend on something new, and what it sets aside for it, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from farm.billing.balances import balance_of
from farm.billing.customer_rows import Customer, Hold, Stage
from farm.billing.holds import Worst, let_go, live_holds, set_aside
from farm.billing.models import Payer

OUT = (Stage.DRY, Stage.LAST, Stage.OVER)
"""Stages in which a payer's agents sleep until it pays."""


class CannotSpend(Exception):  # noqa: N818
    """Nothing was set aside; the subclass tells why. Amounts are net micro-euros."""

    def __init__(self, payer: Payer) -> None:
        super().__init__(f"{payer}")
        self.payer = payer


class NotEnough(CannotSpend):
    """`needed` is to be set aside, and only `available` is neither used nor set aside already."""

    def __init__(self, payer: Payer, needed: int, available: int) -> None:
        super().__init__(payer)
        self.needed = needed
        self.available = available

    @property
    def missing(self) -> int:
        """What would have to be paid in."""
        return self.needed - self.available


class OutOfMoney(NotEnough):
    """Its agents sleep for want of money, or of a bill that is not paid."""


class Frozen(CannotSpend):
    """Somebody has to unfreeze it first: a payment of it is disputed, or the operator did so."""


class TooNew(CannotSpend):
    """Until its first payment has aged it has one agent of the smallest size.

    `until` is when it has; None while nothing was paid yet.
    """

    def __init__(self, payer: Payer, until: datetime | None) -> None:
        super().__init__(payer)
        self.until = until


@dataclass(frozen=True, slots=True)
class Spending:
    """For which agent how much is to be held; `grows` where it is to become larger."""

    agent_uid: str
    worst: Worst
    is_smallest: bool
    grows: bool = False


@transaction.atomic
def spend(payer: Payer, on: Spending, now: datetime) -> None:
    """Hold the worst case of an agent in the payer's wallet, or raise why that cannot be.

    In the transaction that creates, wakes or changes the agent: the payer's row is held until it
    ends, so that two at once cannot both use the last euro. Who pays otherwise holds nothing.
    """
    if payer.kind == Payer.Kind.INTERNAL:
        let_go(on.agent_uid, now)
        return
    Payer.objects.select_for_update(no_key=True).get(pk=payer.pk)
    customer = Customer.objects.filter(payer=payer).first()
    if customer and customer.frozen_at:
        raise Frozen(payer)
    if payer.kind == Payer.Kind.INVOICE:
        _demand_bills_paid(payer, customer, on)
        let_go(on.agent_uid, now)
        return
    own = live_holds(payer).filter(agent_uid=on.agent_uid).first()
    if on.grows or own is None:
        _demand_age(payer, customer, on, now)
    _demand_enough(payer, customer, on, own, now)
    set_aside(payer=payer, agent_uid=on.agent_uid, worst=on.worst, now=now)


def is_out(customer: Customer | None) -> bool:
    """Whether its agents sleep until it pays."""
    return customer is not None and customer.stage in OUT


def _demand_bills_paid(payer: Payer, customer: Customer | None, on: Spending) -> None:
    if is_out(customer):
        raise OutOfMoney(payer, on.worst.micros, 0)


def _demand_age(payer: Payer, customer: Customer | None, on: Spending, now: datetime) -> None:
    first = customer.first_paid_at if customer else None
    until = first + timedelta(days=settings.FIRST_PAYMENT_DAYS) if first else None
    if until and until <= now:
        return
    others = live_holds(payer).exclude(agent_uid=on.agent_uid)
    if others.exists() or not on.is_smallest:
        raise TooNew(payer, until)


def _demand_enough(
    payer: Payer, customer: Customer | None, on: Spending, own: Hold | None, now: datetime
) -> None:
    held = own.run_micros + own.grace_micros if own else 0
    available = balance_of(payer, now).available + held
    if is_out(customer):
        raise OutOfMoney(payer, on.worst.micros, available)
    if available < on.worst.micros:
        raise NotEnough(payer, on.worst.micros, available)
