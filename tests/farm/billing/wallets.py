"""Payers that pay in advance, and money that came, as rows."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from farm.accounts.models import Account
from farm.billing.customer_rows import Customer
from farm.billing.ledger_rows import Book
from farm.billing.models import Payer
from farm.billing.payers import default_payer
from farm.billing.transfers import Side, move, of_payer

EURO = 1_000_000


def wallet_of(account: Account, *, paid_days_ago: int | None = 8) -> Customer:
    """The account's own payer pays in advance."""
    now = timezone.now()
    payer = default_payer(account)
    Payer.objects.filter(pk=payer.pk).update(kind=Payer.Kind.WALLET)
    payer.refresh_from_db()
    first = None if paid_days_ago is None else now - timedelta(days=paid_days_ago)
    return Customer.objects.create(
        payer=payer, email="alice@example.org", stage_at=now, first_paid_at=first
    )


def pay_in(payer: Payer, micros: int, now: datetime | None = None) -> None:
    """So much came, net."""
    at = now or timezone.now()
    source = f"topup:{payer.pk}-{at.timestamp()}-{micros}:net"
    move(debit=Side(Book.HOUSE), credit=of_payer(payer), micros=micros, source=source, now=at)


def use(payer: Payer, micros: int) -> None:
    """So much was used long ago, in a month whose lines are posted."""
    source = f"use:{payer.pk}-{timezone.now().timestamp()}"
    corrected = Side(Book.CORRECTED)
    move(
        debit=of_payer(payer),
        credit=corrected,
        micros=micros,
        source=source,
        now=timezone.now(),
        reason="used",
    )
