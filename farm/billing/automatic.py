"""Money charged from a kept card while nobody looks: started here, driven by a worker."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action, demand
from farm.accounts.refusals import Refused
from farm.accounts.services import record
from farm.bell import ring
from farm.billing.bill_wishes import language_of
from farm.billing.customer_rows import Customer, TopUp
from farm.billing.customers import paying_customer
from farm.billing.gateway_errors import DECLINES, OTHERWISE
from farm.billing.gateway_values import InvoiceWish, Line
from farm.billing.models import Payer
from farm.billing.topups import demand_amount, what

UNDER_WAY: Final = (TopUp.State.ASKED, TopUp.State.OPEN)
NOWHERE: Final = "customer_tax_location_invalid"
"""Stripe's word for somebody whose country nobody knows."""
LONGEST_CODE: Final = 60
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


def is_still_wanted(top_up: TopUp) -> bool:
    """Whether its payer still wants that card charged, and may spend."""
    customer = Customer.objects.get(pk=top_up.customer_id)
    return bool(customer.automatic_cents) and _may(customer) and customer.card == top_up.card


def wish_of(top_up: TopUp) -> InvoiceWish:
    """Its invoice, VAT on top, the only one of it."""
    language, reference = language_of(top_up.customer.payer), top_up.customer.reference
    at = top_up.asked_at
    return InvoiceWish(
        customer=reference,
        lines=[Line("topup", top_up.cents, what(language), at, at)],
        what=what(language),
        method=top_up.card,
        with_vat=settings.VAT_REGIME == "top_up",
        metadata={"topup": top_up.uid},
    )


def note_refused(top_up: TopUp, code: str) -> None:
    """What the bank said; the row is not saved."""
    top_up.problem = code[:LONGEST_CODE]


def problem_of(top_up: TopUp) -> str | Promise:
    """What its payer reads of a payment that failed; "" while none did."""
    if top_up.problem == NOWHERE:
        return _("We do not know your country, on which VAT depends: pay in once by hand.")
    return DECLINES.get(top_up.problem, OTHERWISE) if top_up.problem else ""


def _automatic(customer: Customer) -> QuerySet[TopUp]:
    return TopUp.objects.filter(customer=customer, automatic=True)


def _is_wanted(customer: Customer, now: datetime) -> bool:
    if not customer.automatic_cents or not _may(customer):
        return False
    refused = _automatic(customer).filter(
        state=TopUp.State.FAILED,
        card=customer.card,
        ended_at__gt=now - PAUSE,
    )
    return not refused.exists()


def _may(customer: Customer) -> bool:
    return bool(customer.card) and customer.frozen_at is None
