"""What a payer has left, to this moment: what came in, less what was used, posted or not yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Sum

from farm.billing.ai_rows import AiCall, AiDay
from farm.billing.customer_rows import Hold
from farm.billing.ledger import open_from
from farm.billing.ledger_rows import Book, LedgerAccount, Transfer
from farm.billing.models import Payer, UsageLine
from farm.billing.statements import CURRENCY

USED = (Book.MACHINES, Book.AI, Book.FEE)
"""To what a payer's use is posted."""


@dataclass(frozen=True, slots=True)
class Balance:
    """Net micro-euros: `left` below nothing is owed, `held` is set aside for what is there."""

    left: int
    held: int

    @property
    def available(self) -> int:
        """What may be spent on something new."""
        return self.left - self.held


def balance_of(payer: Payer, now: datetime) -> Balance:
    """Of the ledger, and of the lines that are written and not yet posted to it."""
    account = LedgerAccount.objects.filter(payer=payer, currency=CURRENCY).first()
    posted = account.balance_micros if account else 0
    return Balance(left=-posted - _unposted(payer, account, now), held=_held(payer))


def _held(payer: Payer) -> int:
    """For agents, and for calls of AI that are under way."""
    holds = Hold.objects.filter(payer=payer, released_at=None)
    agents = holds.aggregate(sum=Sum(F("run_micros") + F("grace_micros")))
    calls = AiCall.objects.filter(payer_uid=payer.uid, state=AiCall.State.OPEN)
    return (agents["sum"] or 0) + (calls.aggregate(sum=Sum("reserved_micros"))["sum"] or 0)


def _unposted(payer: Payer, account: LedgerAccount | None, now: datetime) -> int:
    """What is used and not yet posted."""
    first = open_from(now)
    lines = UsageLine.objects.filter(payer=payer, month__gte=first)
    days = AiDay.objects.filter(payer_uid=payer.uid, day__gte=first)
    used = (lines.aggregate(sum=Sum("micros"))["sum"] or 0) + (
        days.aggregate(sum=Sum("cost_micros"))["sum"] or 0
    )
    posted = Transfer.objects.filter(day__gte=first)
    on = posted.filter(debit=account, credit__book__in=USED).aggregate(sum=Sum("amount_micros"))
    off = posted.filter(credit=account, debit__book__in=USED).aggregate(sum=Sum("amount_micros"))
    return used - (on["sum"] or 0) + (off["sum"] or 0)
