"""Money charged from a kept card while nobody looks: started here, driven by a worker."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action, demand
from farm.accounts.refusals import Refused
from farm.accounts.services import record
from farm.bell import ring
from farm.billing.customer_rows import Customer, TopUp
from farm.billing.customers import paying_customer
from farm.billing.models import Payer
from farm.billing.topups import demand_amount

UNDER_WAY: Final = (TopUp.State.ASKED, TopUp.State.OPEN)
PAUSE: Final = timedelta(days=1)
"""So long a card that was refused is not charged again."""


@transaction.atomic
def set_automatic_top_up(*, actor: User, door: Door, payer: Payer, cents: int) -> None:
    """What is paid in by the kept card whenever the money gets low, net; 0: never again.

    Whoever asks has agreed to it on the page. Refused says why not.
    """
    demand(actor, Action.MANAGE_MONEY, payer.account)
    customer = paying_customer(payer, Payer.Kind.WALLET)
    if cents:
        demand_amount(cents)
    if cents and not customer.card:
        sentence = _("No card is kept: pay in once, or add a card, and ask for this again.")
        raise Refused("amount", "no_card", sentence)
    Customer.objects.filter(pk=customer.pk).update(automatic_cents=cents)
    verb = "set automatic top-up" if cents else "end automatic top-up"
    record(account=payer.account, actor=actor, door=door, verb=verb, subject=payer.uid)


def start_automatic_top_up(customer: Customer, now: datetime) -> TopUp | None:
    """Have the kept card charged; the one under way if there is one, None if there is to be none.

    None is wanted, no card is kept, its payer is frozen, or the card was refused within a day.
    """
    customer.refresh_from_db()
    under_way = _automatic(customer).filter(state__in=UNDER_WAY).first()
    if under_way or not _is_wanted(customer, now):
        return under_way
    try:
        with transaction.atomic():
            made = TopUp.objects.create(
                customer=customer,
                cents=customer.automatic_cents,
                card=customer.card,
                automatic=True,
                asked_at=now,
                due_at=now,
            )
    except IntegrityError:
        return _automatic(customer).filter(state__in=UNDER_WAY).first()
    ring()
    return made


def _automatic(customer: Customer) -> QuerySet[TopUp]:
    return TopUp.objects.filter(customer=customer, automatic=True)


def _is_wanted(customer: Customer, now: datetime) -> bool:
    if not (customer.automatic_cents and customer.card) or customer.frozen_at:
        return False
    refused = _automatic(customer).filter(
        state__in=(TopUp.State.FAILED, TopUp.State.OVER),
        card=customer.card,
        ended_at__gt=now - PAUSE,
    )
    return not refused.exists()
