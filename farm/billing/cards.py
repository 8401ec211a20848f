"""The card that is kept for a payer: added on a hosted page, taken away, seen in the portal."""

from __future__ import annotations

from contextlib import suppress

from django.db import transaction
from django.utils import timezone

from farm.accounts.models import Door, User, new_uid
from farm.accounts.permissions import Action, demand
from farm.accounts.services import record
from farm.billing.customer_rows import Customer
from farm.billing.customers import paying_customer, reference_of
from farm.billing.gateway_errors import Rejected
from farm.billing.gateway_values import CardWish, Checkout
from farm.billing.learning import learn_found
from farm.billing.models import Payer
from farm.billing.stripe_refusals import demanded_gateway, refusing

CARDS_ARE_FOR = (Payer.Kind.WALLET, Payer.Kind.INVOICE)


def open_card_page(
    *, actor: User, door: Door, payer: Payer, success_url: str, cancel_url: str, language: str
) -> str:
    """The address of a hosted page that keeps a card, without a payment.

    In `success_url` the page puts the checkout's id where {CHECKOUT_SESSION_ID} stands: tell it to
    `look_at_card_page`. Refused says why not.
    """
    demand(actor, Action.MANAGE_MONEY, payer.account)
    house, customer = demanded_gateway(), paying_customer(payer, *CARDS_ARE_FOR)
    metadata = {"payer": payer.uid}
    with refusing():
        reference = reference_of(customer, house)
        wish = CardWish(reference, success_url, cancel_url, language, metadata)
        opened = house.open_card_page(wish, f"card:{payer.uid}:{new_uid()}")
    record(account=payer.account, actor=actor, door=door, verb="add card", subject=payer.uid)
    return opened.url


def look_at_card_page(payer: Payer, checkout: str) -> Customer:
    """The payer's row after somebody came back from the page; a page of another's is nothing."""
    house, customer = demanded_gateway(), paying_customer(payer, *CARDS_ARE_FOR)
    with refusing():
        page = house.find("checkout.session", checkout)
        if isinstance(page, Checkout) and page.customer == customer.reference and page.setup:
            kept = house.find("setup_intent", page.setup)
            if kept:
                learn_found(kept, timezone.now())
    customer.refresh_from_db()
    return customer


def remove_card(*, actor: User, door: Door, payer: Payer) -> None:
    """Keep it no longer, here and at Stripe; nothing is charged automatically any more."""
    demand(actor, Action.MANAGE_MONEY, payer.account)
    house, customer = demanded_gateway(), paying_customer(payer, *CARDS_ARE_FOR)
    if not customer.card:
        return
    # One that is kept by nobody any more cannot be forgotten: that is what is wanted.
    with refusing(), suppress(Rejected):
        house.forget_card(customer.card)
    with transaction.atomic():
        rows = Customer.objects.filter(pk=customer.pk, card=customer.card)
        rows.update(card="", card_name="", automatic_cents=0)
        record(account=payer.account, actor=actor, door=door, verb="remove card", subject=payer.uid)


def portal_of(*, actor: User, door: Door, payer: Payer, return_url: str) -> str:
    """The address of Stripe's own page for the payer's cards and papers, good for a short while."""
    demand(actor, Action.MANAGE_MONEY, payer.account)
    house, customer = demanded_gateway(), paying_customer(payer, *CARDS_ARE_FOR)
    with refusing():
        address = house.portal(reference_of(customer, house), return_url)
    record(account=payer.account, actor=actor, door=door, verb="open portal", subject=payer.uid)
    return address
