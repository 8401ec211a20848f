"""Payers that pay through Stripe: their rows, their customers there, and who makes them so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Account, Role
from farm.accounts.refusals import Refused
from farm.billing.customer_rows import Customer
from farm.billing.gateway_values import Buyer
from farm.billing.models import Payer

if TYPE_CHECKING:
    from farm.billing.gateway import Gateway


def customer_of(payer: Payer) -> Customer:
    """The payer's row, made when it is first asked for; no word to Stripe as yet."""
    now = timezone.now()
    customer, _made = Customer.objects.get_or_create(
        payer=payer,
        defaults={"email": _first_owner(payer.account), "stage_at": now, "due_at": now},
    )
    return customer


def reference_of(customer: Customer, house: Gateway) -> str:
    """Its id at Stripe, where it is made when it is first asked for. Raises GatewayError.

    Papers go to whoever answers for its account by now.
    """
    payer = customer.payer
    email = _first_owner(payer.account) or customer.email
    buyer = Buyer(email, payer.name, metadata={"payer": payer.uid})
    if email != customer.email:
        if customer.reference:
            house.change_customer(customer.reference, buyer)
        Customer.objects.filter(pk=customer.pk).update(email=email)
        customer.email = email
    if customer.reference:
        return customer.reference
    made = house.make_customer(buyer, f"customer:{payer.uid}:{email}")
    # Of two that were made beside each other one stays: nothing was ever paid by the other.
    Customer.objects.filter(pk=customer.pk, reference="").update(reference=made.id)
    customer.refresh_from_db(fields=["reference"])
    return customer.reference


def paying_customer(payer: Payer, *kinds: Payer.Kind) -> Customer:
    """The row of a payer of one of these kinds; Refused for another one."""
    if payer.kind not in kinds:
        sentence = _("Nothing is collected from this payer in that way.")
        raise Refused("payer_uid", "not_this_kind", sentence)
    return customer_of(payer)


def _first_owner(account: Account) -> str:
    owner = account.memberships.filter(role=Role.OWNER).order_by("pk").first()
    return owner.user.email if owner else ""
