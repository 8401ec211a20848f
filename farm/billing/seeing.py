"""How a payer stands now, as rows tell it, and who is at fault that it cannot be told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final

from django.conf import settings
from django.db.models import Q, Sum

from farm.billing.ai_rows import AiDay
from farm.billing.balances import Balance, balance_of
from farm.billing.bill_rows import Bill
from farm.billing.customer_rows import Customer, Dispute, Stage, TopUp
from farm.billing.holds import burn_of, live_holds
from farm.billing.models import Payer
from farm.billing.stages import REACHES, Seen
from farm.billing.stripe_rows import StripeEvent, StripeRound

LATE: Final = timedelta(hours=2)
"""So late the meter, or the reader of Stripe's events, is not well."""
WAITING: Final = (TopUp.State.ASKED, TopUp.State.OPEN)
ON_THE_PAGE: Final = timedelta(hours=1)
"""How long somebody may take to type in their card before nobody waits for them."""
PER_DAY: Final = timedelta(days=1)
AI_DAYS: Final = 7
"""What AI costs in a day is what it cost in the last so many whole ones."""


def seen_of(customer: Customer, ran_at: datetime | None, now: datetime) -> Seen:
    """All that decides what is due for it; `ran_at` is when the meter ran last."""
    balance = balance_of(customer.payer, now)
    return Seen(
        stage=Stage(customer.stage),
        stage_at=customer.stage_at,
        dry_since=customer.dry_since,
        days_left=days_left(customer, balance, now),
        frozen=customer.frozen_at is not None,
        kept=customer.frozen_at is not None or _is_disputed(customer),
        at_fault=bool(fault_of(customer, balance, ran_at, now)),
    )


def fault_of(customer: Customer, balance: Balance, ran_at: datetime | None, now: datetime) -> str:
    """Why nothing is taken from a payer now; "" while all that is known of its money is sure."""
    house = StripeRound.objects.first()
    told = StripeEvent.objects.filter(worked_at=None)
    if customer.stage_at > now or (ran_at and ran_at > now):
        return "The farm's clock went back."
    if ran_at is None or now - ran_at > LATE + timedelta(seconds=settings.METER_SECONDS):
        return "The meter has not run."
    if house is None or house.trouble or house.due_at is None or now - house.due_at > LATE:
        return "Stripe's events were not read."
    if told.exists():
        return "Stripe told of something that is not understood yet."
    if _is_coming(customer, balance, now):
        return "A payment is under way."
    return ""


def _is_coming(customer: Customer, balance: Balance, now: datetime) -> bool:
    """Whether money may be on its way; not waited for once the day set aside for that is used."""
    run = sum(held.run_micros for held in live_holds(customer.payer))
    if balance.available < -run:
        return False
    paying = Q(automatic=True) | ~Q(payment="") | Q(asked_at__gt=now - ON_THE_PAGE)
    return TopUp.objects.filter(paying, customer=customer, state__in=WAITING).exists()


def days_left(customer: Customer, balance: Balance, now: datetime) -> Fraction | None:
    """How long its money lasts at what it spends in a day; None where that has no end."""
    payer = customer.payer
    if payer.kind == Payer.Kind.INVOICE:
        return _days_of_patience(payer, now)
    if payer.kind == Payer.Kind.INTERNAL or not live_holds(payer).exists():
        return None
    burn = burn_of(payer) + ai_a_day(payer, now)
    if balance.available < 0 or not burn:
        return Fraction(-1) if balance.available < 0 else None
    return Fraction(balance.available, burn)


def _days_of_patience(payer: Payer, now: datetime) -> Fraction | None:
    """A trusted payer whose bill is overdue is told of a week, as one whose money lasts for one."""
    overdue = Bill.objects.filter(payer=payer, state=Bill.State.OPEN, overdue_at__isnull=False)
    first = overdue.order_by("overdue_at").first()
    if first is None or first.overdue_at is None:
        return None
    return REACHES[Stage.WEEK] - Fraction((now - first.overdue_at) / PER_DAY)


def ai_a_day(payer: Payer, now: datetime) -> int:
    """What its AI costs in a day, net micro-euros."""
    today = now.astimezone(UTC).date()
    days = AiDay.objects.filter(payer_uid=payer.uid, day__lt=today)
    lately = days.filter(day__gte=today - AI_DAYS * PER_DAY)
    return int(lately.aggregate(sum=Sum("cost_micros"))["sum"] or 0) // AI_DAYS


def _is_disputed(customer: Customer) -> bool:
    return Dispute.objects.filter(customer=customer, closed_at=None).exists()
