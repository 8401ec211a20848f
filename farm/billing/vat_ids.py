"""The VAT id that a payer's papers bear, and whether it shifts the VAT to them."""

from __future__ import annotations

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action, demand
from farm.accounts.refusals import Refused
from farm.accounts.services import record
from farm.billing.cards import CARDS_ARE_FOR
from farm.billing.customer_rows import Customer
from farm.billing.customers import paying_customer, reference_of
from farm.billing.gateway_errors import Rejected
from farm.billing.models import Payer
from farm.billing.stripe_refusals import demanded_gateway, refusing

NO_VAT_ID = "tax_id_invalid"
LONGEST = 40
SENTENCES: dict[str, Promise] = {
    "pending": _(
        "The tax office has not answered yet. If you buy from another country of the European"
        " Union, no VAT is charged; you declare it (reverse charge)."
    ),
    "verified": _(
        "The tax office knows this VAT id. If you buy from another country of the European Union,"
        " no VAT is charged; you declare it (reverse charge)."
    ),
    "unverified": _(
        "The tax office does not know this VAT id, so VAT is charged. Check it, and give it again."
    ),
    "unavailable": _("The tax office does not answer at the moment; it is asked again."),
}


def give_vat_id(*, actor: User, door: Door, payer: Payer, value: str) -> Customer:
    """Have the payer's papers bear this VAT id of the European Union, in place of any other.

    What was paid before stays as it was. Refused says why not.
    """
    demand(actor, Action.MANAGE_MONEY, payer.account)
    house, customer = demanded_gateway(), paying_customer(payer, *CARDS_ARE_FOR)
    wanted = "".join(value.split()).upper()
    if not wanted or len(wanted) > LONGEST or not wanted.isalnum():
        raise _no_vat_id()
    with refusing("vat_id"):
        reference, before = reference_of(customer, house), customer.vat_reference
        known = next((one for one in house.tax_ids(reference) if one.value == wanted), None)
        try:
            found = known or house.add_tax_id(
                reference, wanted, f"vat:{payer.uid}:{before}:{wanted}"
            )
        except Rejected as error:
            if error.code == NO_VAT_ID:
                raise _no_vat_id() from None
            raise
        for other in house.tax_ids(reference):
            if other.id != found.id:
                house.remove_tax_id(reference, other.id)
    told = {"vat_reference": found.id, "vat_id": found.value, "vat_status": found.status}
    return _kept(actor, door, customer, told, "give VAT id")


def remove_vat_id(*, actor: User, door: Door, payer: Payer) -> Customer:
    """Have the payer's papers bear none from now on."""
    demand(actor, Action.MANAGE_MONEY, payer.account)
    house, customer = demanded_gateway(), paying_customer(payer, *CARDS_ARE_FOR)
    with refusing("vat_id"):
        reference = reference_of(customer, house)
        for one in house.tax_ids(reference):
            house.remove_tax_id(reference, one.id)
    none = {"vat_reference": "", "vat_id": "", "vat_status": ""}
    return _kept(actor, door, customer, none, "remove VAT id")


def status_of_vat_id(customer: Customer) -> str | Promise:
    """What the tax office says of it, and what follows, in a sentence; "" for no VAT id."""
    return SENTENCES.get(customer.vat_status, SENTENCES["pending"]) if customer.vat_id else ""


@transaction.atomic
def _kept(actor: User, door: Door, customer: Customer, told: dict[str, str], verb: str) -> Customer:
    payer = customer.payer
    Customer.objects.filter(pk=customer.pk).update(**told)
    record(account=payer.account, actor=actor, door=door, verb=verb, subject=payer.uid)
    customer.refresh_from_db()
    return customer


def _no_vat_id() -> Refused:
    sentence = _(
        "This is no VAT id of the European Union. It looks like FR12345678901: type it anew."
    )
    return Refused("vat_id", "no_vat_id", sentence)
