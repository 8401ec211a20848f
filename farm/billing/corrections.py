"""Corrections of what a payer owes, by hand: an operator's word, with a reason, kept for good."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Door, User, new_uid
from farm.accounts.permissions import Action, demand
from farm.accounts.refusals import Refused
from farm.accounts.services import record
from farm.billing.bill_credits import checked_reason
from farm.billing.ledger_rows import Book, Transfer
from farm.billing.models import Payer
from farm.billing.transfers import Side, move, of_payer

MOST_MICROS = 100_000 * 1_000_000


@transaction.atomic
def correct(*, actor: User, door: Door, payer: Payer, micros: int, reason: str) -> Transfer:
    """Have the payer owe so much more from now on, or less where it is below 0; net micro-euros.

    A trusted payer finds it on its next bill, a wallet has it at once. Refused without a reason.
    """
    demand(actor, Action.OPERATE_FARM)
    why = checked_reason(reason)
    if not 0 < abs(micros) <= MOST_MICROS:
        raise Refused("amount", "amount", _("Give an amount other than 0, up to 100,000 EUR."))
    sides = (of_payer(payer), Side(Book.CORRECTED))
    debit, credit = sides if micros > 0 else reversed(sides)
    source = f"correct:{new_uid()}"
    now = timezone.now()
    move(debit=debit, credit=credit, micros=abs(micros), source=source, now=now, reason=why)
    record(account=payer.account, actor=actor, door=door, verb="correct", subject=payer.uid)
    return Transfer.objects.get(source=source)
