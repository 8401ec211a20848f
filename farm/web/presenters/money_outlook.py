"""Before a button that costs: how long the wallet lasts then, or what has to be paid in first."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext

from farm.accounts.models import User
from farm.accounts.permissions import Action, may
from farm.agents.selectors.outlook import Outlook
from farm.billing.amounts import at_most
from farm.billing.statements import CURRENCY
from farm.billing.topups import LEAST_CENTS
from farm.billing.transfers import CENT
from farm.web.presenters.money_reach import lasting


@dataclass(frozen=True, slots=True)
class OutlookWords:
    """`sentence` beside the button; `pay_in` and `href` for who may pay in what is missing."""

    sentence: str
    is_enough: bool
    pay_in: str = ""
    href: str = ""


def outlook_words(outlook: Outlook, reader: User) -> OutlookWords:
    """For whoever reads the button."""
    if not outlook.missing:
        text = gettext("The wallet lasts %(time)s then.")
        return OutlookWords(text % {"time": lasting(outlook.days)}, is_enough=True)
    text = gettext("%(missing)s are missing in the wallet of %(payer)s for that.")
    values = {"missing": at_most(outlook.missing, CURRENCY), "payer": outlook.payer.name}
    if not may(reader, Action.MANAGE_MONEY, outlook.payer.account):
        return OutlookWords(text % values, is_enough=False)
    needed = max(-(-outlook.missing // CENT), LEAST_CENTS)
    pay_in = gettext("Pay in %(amount)s") % {"amount": at_most(needed * CENT, CURRENCY)}
    typed = number_format(_euros(needed), decimal_pos=2)
    href = f"{reverse('wallet', args=[outlook.payer.uid])}?amount={typed}#pay-in"
    return OutlookWords(text % values, is_enough=False, pay_in=pay_in, href=href)


def _euros(in_cents: int) -> Decimal:
    return (Decimal(in_cents) / 100).quantize(Decimal("0.01"), rounding=ROUND_CEILING)
