"""How a payer stands: what it has, what is set aside, and how long the rest lasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from math import floor
from typing import Final

from farm.accounts.models import Account
from farm.billing.balances import Balance, balance_of
from farm.billing.customer_rows import Customer, Hold, Stage, TopUp
from farm.billing.holds import GRACE, live_holds
from farm.billing.models import Payer
from farm.billing.seeing import days_left
from farm.billing.statements import CURRENCY

LATEST: Final = 20
"""So many top-ups are shown; papers show them all."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`days` is how long its money lasts, less than nothing once what is set aside is used up, None
    without an end. `customer` is None while nobody asked anything of the payment house for it.
    """

    payer: Payer
    customer: Customer | None
    balance: Balance
    days: Fraction | None

    @property
    def currency(self) -> str:
        """In which all of it is counted."""
        return CURRENCY

    @property
    def stage(self) -> Stage:
        """How far its money reaches."""
        return Stage(self.customer.stage) if self.customer else Stage.FINE

    @property
    def holds(self) -> Sequence[Hold]:
        """What is set aside for each of its agents."""
        return holds_of(self.payer)

    @property
    def days_left(self) -> int | None:
        """Whole ones of them."""
        return None if self.days is None else floor(self.days)

    @property
    def kept_until(self) -> datetime | None:
        """When what sleeps for want of money is deleted; None while none does."""
        since = self.customer.dry_since if self.customer else None
        return since + GRACE if since else None

    @property
    def is_frozen(self) -> bool:
        """Whether it may spend nothing, and loses nothing."""
        return bool(self.customer and self.customer.frozen_at)


def standing_of(payer: Payer, now: datetime) -> Standing:
    """Of a payer of any kind; one that collects nothing has nothing either."""
    customer = Customer.objects.filter(payer=payer).first()
    balance = balance_of(payer, now)
    return Standing(
        payer, customer, balance, days_left(customer, balance, now) if customer else None
    )


def standings_in(account: Account, now: datetime) -> Sequence[Standing]:
    """Of each payer of the account from which money is collected, the default one first."""
    collected = account.payers.exclude(kind=Payer.Kind.INTERNAL).filter(archived_at=None)
    ordered = collected.select_related("account").order_by("-is_default", "pk")
    return [standing_of(payer, now) for payer in ordered]


def holds_of(payer: Payer) -> Sequence[Hold]:
    """What is set aside for each of its agents."""
    return list(live_holds(payer))


def top_ups_of(payer: Payer) -> Sequence[TopUp]:
    """What was paid in, or tried, lately: the newest first."""
    return list(TopUp.objects.filter(customer__payer=payer).order_by("-pk")[:LATEST])
