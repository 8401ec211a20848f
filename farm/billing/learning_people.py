"""Who pays, as Stripe knows them now: the card that is charged, the country, the VAT id."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from farm.billing.customer_rows import Customer
from farm.billing.gateway_values import Card, Payment, Setup, TaxId
from farm.billing.gateway_values import Customer as Buyer
from farm.billing.money_in import look_soon


def learn_setup(found: Setup, now: datetime) -> None:
    """A card was kept on a page."""
    if found.status == "succeeded":
        _keep(_of(found.customer), found.card, found.made_at, now)


def learn_card_of(found: Payment, now: datetime) -> None:
    """The card that paid is the one that is charged from then on, if its owner had it kept."""
    _keep(_of(found.customer), found.card, found.made_at, now)


def learn_card(found: Card, now: datetime) -> None:
    """A card that nobody keeps any more is charged no more; what was agreed on for it ends."""
    if found.customer:
        return
    for customer in Customer.objects.filter(card=found.id):
        rows = Customer.objects.filter(pk=customer.pk)
        rows.update(card="", card_name="", automatic_cents=0)
        look_soon(customer, now)


def learn_buyer(found: Buyer) -> None:
    """Where they are."""
    _of(found.id).update(country=found.country)


def learn_tax_id(found: TaxId, now: datetime, owner: str) -> None:
    """What the tax office says of a VAT id, however it was given."""
    told = {"vat_reference": found.id, "vat_id": found.value, "vat_status": found.status}
    rows = Customer.objects.filter(vat_reference=found.id) | _of(owner)
    for customer in rows:
        Customer.objects.filter(pk=customer.pk).update(**told)
        look_soon(customer, now)


def forget_tax_id(uid: str) -> None:
    """It is there no more."""
    gone = Customer.objects.filter(vat_reference=uid)
    gone.update(vat_reference="", vat_id="", vat_status="")


def named(card: Card) -> str:
    """As people know it: Visa 4242."""
    return f"{card.brand.capitalize()} {card.last4}"


def _of(reference: str) -> QuerySet[Customer]:
    return Customer.objects.filter(reference=reference).exclude(reference="")


def _keep(rows: QuerySet[Customer], card: Card | None, at: datetime, now: datetime) -> None:
    """Charge this card from now on, unless a later one is known."""
    if card is None or not card.customer:
        return
    older = rows.filter(Q(card_at=None) | Q(card_at__lt=at) | Q(card=""))
    for customer in older:
        Customer.objects.filter(pk=customer.pk).update(
            card=card.id, card_name=named(card), card_at=at
        )
        look_soon(customer, now)
