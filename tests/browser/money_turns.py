"""What a site's database is told while somebody's wallet lives through its story.

A program of its own, run with the site's environment: `manage.py shell` reads it.
"""

from __future__ import annotations

import json

from django.utils import timezone

from farm.accounts.models import new_uid
from farm.accounts.services import account_of
from farm.billing.balances import balance_of
from farm.billing.customer_rows import Customer
from farm.billing.holds import burn_of
from farm.billing.ledger_rows import Book
from farm.billing.money_in import look_soon
from farm.billing.payers import default_payer
from farm.billing.transfers import Side, move, of_payer
from tests.browser.stage import session_of
from tests.farm.web.scenes import person

NADIA = "nadia@example.org"


def begin() -> str:
    """The farm's first account, and Nadia's, which pays in advance; her session, as JSON."""
    default_payer(account_of(user=person("olivia")))
    nadia = person("nadia")
    payer = default_payer(account_of(user=nadia))
    return json.dumps({"session": session_of(nadia), "payer": payer.uid})


def spend_down_to(days: int) -> None:
    """Correct what is left, so that it lasts so many days more; below 0 it is used up."""
    now = timezone.now()
    customer = Customer.objects.get(payer__account__memberships__user__email=NADIA)
    payer = customer.payer
    free = balance_of(payer, now).available
    micros = free - days * burn_of(payer) if days >= 0 else free + 1_000
    sides = (of_payer(payer), Side(Book.CORRECTED))
    source = f"correct:{new_uid()}"
    move(debit=sides[0], credit=sides[1], micros=micros, source=source, now=now, reason="a story")
    look_soon(customer, now)
