"""Payers that may spend nothing for now, because a payment of theirs is in question."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action, demand
from farm.accounts.services import record
from farm.billing.balances import balance_of
from farm.billing.customer_rows import Customer, Dispute
from farm.billing.models import Payer
from farm.billing.money_in import look_soon


def freeze(customer: Customer, why: str, now: datetime) -> None:
    """It spends nothing more from now on, and loses nothing; one that is frozen stays so."""
    Customer.objects.filter(pk=customer.pk, frozen_at=None).update(frozen_at=now, frozen_why=why)
    look_soon(customer, now)


def thaw_if_settled(customer: Customer, now: datetime) -> None:
    """Let it spend again once nothing is in question, and nothing is owed of what was lost."""
    disputes = Dispute.objects.filter(customer=customer)
    if disputes.filter(closed_at=None).exclude(status__startswith="warning_").exists():
        return
    if disputes.filter(status="lost").exists() and not _paid_up(customer, now):
        return
    _thaw(customer, now)


@transaction.atomic
def unfreeze(*, actor: User, door: Door, payer: Payer) -> None:
    """Let a payer spend again, whatever its bank says; only who runs the farm may."""
    demand(actor, Action.OPERATE_FARM)
    _thaw(Customer.objects.get(payer=payer), timezone.now())
    record(account=payer.account, actor=actor, door=door, verb="unfreeze", subject=payer.uid)


def _paid_up(customer: Customer, now: datetime) -> bool:
    """A trusted payer always owes something: of that one, who runs the farm decides."""
    payer = customer.payer
    return payer.kind == Payer.Kind.WALLET and balance_of(payer, now).left >= 0


def _thaw(customer: Customer, now: datetime) -> None:
    Customer.objects.filter(pk=customer.pk).update(frozen_at=None, frozen_why="")
    look_soon(customer, now)
