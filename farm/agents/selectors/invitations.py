"""What an invitation promises, with names instead of uids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import translation

from farm.accounts.models import Account, Invitation
from farm.agents.selectors.shared_keys import lender_of, shared_keys_of
from farm.billing.amounts import amount
from farm.billing.models import Payer
from farm.billing.payers import NotThisPayer, default_payer, payer_of
from farm.catalog import catalog


@dataclass(frozen=True, slots=True)
class Promise:
    """Who pays for hosting, and who for how much AI a month (micro-euros).

    `lender` is "" and the budget None where the guest brings a key of their own.
    """

    payer: str
    lender: str
    budget_micros: int | None
    currency: str

    def budget_in(self, language: str) -> str:
        """The budget in words, "" where there is none."""
        if self.budget_micros is None:
            return ""
        with translation.override(language):
            return amount(self.budget_micros, self.currency)


def promise_of(invitation: Invitation) -> Promise:
    """What its guest is promised today: a key that was revoked since promises no AI."""
    account = invitation.account
    try:
        payer = payer_of(account, invitation.payer_uid)
    except NotThisPayer:
        payer = default_payer(account)
    key = shared_keys_of(account).filter(uid=invitation.shared_key_uid or "-").first()
    budget = (invitation.ai_budget_micros or key.monthly_micros) if key else None
    return Promise(payer.name, lender_of(key, payer) if key else "", budget, catalog().currency)


def payers_of(account: Account) -> Sequence[Payer]:
    """Who may be charged in the account, its default payer first."""
    first = default_payer(account)
    others = account.payers.filter(archived_at=None).exclude(pk=first.pk).order_by("pk")
    return [first, *others]
