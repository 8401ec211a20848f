"""Money paid in on a hosted page: asked for, and looked at when its payer comes back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from farm.accounts.models import ALPHABET, Door, User, new_uid
from farm.accounts.permissions import Action, demand
from farm.accounts.refusals import Refused
from farm.accounts.services import record
from farm.billing import gateway_values as values
from farm.billing.amounts import cents as spelled
from farm.billing.customer_rows import Customer, TopUp
from farm.billing.customers import paying_customer, reference_of
from farm.billing.learning import learn_found
from farm.billing.models import Payer
from farm.billing.statements import CURRENCY
from farm.billing.stripe_refusals import demanded_gateway, refusing
from farm.billing.transfers import CENT

if TYPE_CHECKING:
    from farm.billing.gateway import Gateway

LEAST_CENTS: Final = 500
MOST_CENTS: Final = 100_000
"""What can be paid in at once, net."""
PAGE_LASTS: Final = timedelta(hours=24, minutes=10)
"""A page is over after a day; clocks differ."""
THINGS: Final = (
    ("checkout.session", "checkout"),
    ("invoice", "invoice"),
    ("payment_intent", "payment"),
)
"""What there is of a top-up at Stripe, and where we keep its id; each names the next one."""
_spelled = lazy(spelled, str)


def ask_top_up(
    *,
    actor: User,
    door: Door,
    payer: Payer,
    cents: int,
    success_url: str,
    cancel_url: str,
    language: str,
    key: str = "",
) -> TopUp:
    """A hosted page (its `url`) on which so many net cents are paid in, VAT on top.

    `key` is the form's own (a `new_uid`): sent twice, there is one page. In `success_url` the page
    puts the checkout's id where {CHECKOUT_SESSION_ID} stands. Refused says why not.
    """
    demand(actor, Action.MANAGE_MONEY, payer.account)
    house = demanded_gateway()
    customer = paying_customer(payer, Payer.Kind.WALLET)
    demand_amount(cents)
    top_up = _asked(actor, door, customer, cents, key or new_uid())
    if top_up.state == TopUp.State.ASKED:
        pages = (success_url, cancel_url)
        with refusing():
            _open(house, top_up, pages, language)
    return top_up


def demand_amount(cents: int, field: str = "amount") -> None:
    """Refused for more or less than can be paid in at once."""
    if LEAST_CENTS <= cents <= MOST_CENTS:
        return
    sentence = format_lazy(
        _("Pay in {least} to {most} at once."),
        least=_spelled(LEAST_CENTS * CENT, CURRENCY),
        most=_spelled(MOST_CENTS * CENT, CURRENCY),
    )
    raise Refused(field, "amount", sentence)


def look_at(top_up: TopUp) -> TopUp:
    """What became of it by now, as far as Stripe answers; whoever comes back from the page asks."""
    house = demanded_gateway()
    with refusing():
        learn_top_up(house, top_up, timezone.now())
    top_up.refresh_from_db()
    return top_up


def learn_top_up(house: Gateway, top_up: TopUp, now: datetime) -> None:
    """Fetch its page, or its invoice, and what paid it, and learn what they are now."""
    for kind, field in THINGS:
        reference = TopUp.objects.values_list(field, flat=True).get(pk=top_up.pk)
        if reference and (found := house.find(kind, reference)):
            learn_found(found, now)
    top_up.refresh_from_db()


def what(language: str) -> str:
    """What papers and bank statements call it, in the payer's language."""
    with override(language):
        return str(_("Paid into the wallet"))


@transaction.atomic
def _asked(actor: User, door: Door, customer: Customer, cents: int, key: str) -> TopUp:
    """The intent, written before Stripe is asked; the same one for the same key."""
    if len(key) != len(new_uid()) or set(key) - set(ALPHABET):
        raise Refused("", "form_key", _("Load the page again, and send it once more."))
    now = timezone.now()
    fresh = {"customer": customer, "cents": cents, "asked_by": actor.email, "asked_at": now}
    top_up, made = TopUp.objects.get_or_create(
        uid=key, defaults={**fresh, "due_at": now + PAGE_LASTS}
    )
    if top_up.customer_id != customer.pk or top_up.cents != cents:
        raise Refused("", "form_key", _("Load the page again, and send it once more."))
    if made:
        account = customer.payer.account
        record(account=account, actor=actor, door=door, verb="ask top-up", subject=top_up.uid)
    return top_up


def _open(house: Gateway, top_up: TopUp, pages: tuple[str, str], language: str) -> None:
    wish = values.TopUp(
        customer=reference_of(top_up.customer, house),
        cents=top_up.cents,
        what=what(language),
        success_url=pages[0],
        cancel_url=pages[1],
        language=language,
        with_vat=settings.VAT_REGIME == "top_up",
        metadata={"topup": top_up.uid},
    )
    opened = house.open_top_up(wish, f"topup:{top_up.uid}:page")
    asked = TopUp.objects.filter(pk=top_up.pk, state=TopUp.State.ASKED)
    asked.update(state=TopUp.State.OPEN, checkout=opened.id, url=opened.url)
    top_up.refresh_from_db()
