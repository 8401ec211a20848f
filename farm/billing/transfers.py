"""Transfers that are not of use: money that came, went, or was corrected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import F, Max

from farm.billing.ledger import Accounts
from farm.billing.ledger_rows import Book, LedgerAccount, Transfer
from farm.billing.models import Payer
from farm.billing.statements import CURRENCY

CENT = 10_000
"""Micro-euros."""


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a transfer: a payer's account, or the one that a book has."""

    book: Book
    payer: Payer | None = None


def of_payer(payer: Payer) -> Side:
    """The payer's own account: debited with what it uses, credited with what it pays."""
    return Side(Book.PAYER, payer)


@transaction.atomic
def move(
    *, debit: Side, credit: Side, micros: int, source: str, now: datetime, reason: str = ""
) -> bool:
    """Post so much from `credit` to `debit`, once for each `source`; False if it is there already.

    Micro-euros above 0, posted on the day of `now` (UTC). `source` names what it is about by ids
    that stay, such as "topup:<uid>:net"; whoever comes beside or later with it changes nothing.
    """
    to, whence = (Accounts().of(side.book, CURRENCY, side.payer) for side in (debit, credit))
    # Taken in one order by whoever moves money: nobody waits for somebody who waits for them.
    rows = LedgerAccount.objects.select_for_update(no_key=True).order_by("pk")
    list(rows.filter(pk__in=(to.pk, whence.pk)))
    if Transfer.objects.filter(source=source).exists():
        return False
    day = now.astimezone(UTC).date()
    same = Transfer.objects.filter(debit=to, credit=whence, day=day)
    Transfer.objects.create(
        debit=to,
        credit=whence,
        amount_micros=micros,
        currency=CURRENCY,
        day=day,
        number=(same.aggregate(top=Max("number"))["top"] or 0) + 1,
        at=now,
        source=source,
        reason=reason,
    )
    LedgerAccount.objects.filter(pk=to.pk).update(balance_micros=F("balance_micros") + micros)
    LedgerAccount.objects.filter(pk=whence.pk).update(balance_micros=F("balance_micros") - micros)
    return True
