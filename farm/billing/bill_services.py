"""What an operator does about bills by hand: closes a month, and re-reads what Stripe knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action, demand
from farm.accounts.refusals import Refused
from farm.accounts.services import record
from farm.billing.bill_rows import Bill
from farm.billing.bills import NotOver, close_month
from farm.billing.learning import learn_found
from farm.billing.stripe_events import WANTED, keep, learn, state_of
from farm.billing.stripe_refusals import demanded_gateway, refusing
from farm.billing.stripe_rows import StripeEvent

if TYPE_CHECKING:
    from farm.billing.gateway import Gateway

KINDS: Final[Mapping[str, str]] = {
    "cs": "checkout.session",
    "ch": "charge",
    "cn": "credit_note",
    "cus": "customer",
    "dp": "dispute",
    "du": "dispute",
    "in": "invoice",
    "pi": "payment_intent",
    "py": "charge",
    "pyr": "refund",
    "re": "refund",
    "seti": "setup_intent",
}
"""What a thing at Stripe is, by how its id begins."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A thing that was looked at again, and one word for what it is now; `learnt`: understood."""

    event: str
    kind: str
    subject: str
    state: str
    learnt: bool


@transaction.atomic
def close_by_hand(*, actor: User, door: Door, month: date, now: datetime) -> Sequence[Bill]:
    """Close a month now; answers the bills that were made by this. Refused while it runs."""
    demand(actor, Action.OPERATE_FARM)
    try:
        bills = close_month(month, now)
    except NotOver as early:
        text = _("This month is not over: its last hours are written by %(until)s UTC.")
        sentence = text % {"until": f"{early.until:%Y-%m-%d %H:%M}"}
        raise Refused("month", "not_over", sentence) from None
    record(account=None, actor=actor, door=door, verb="close month", subject=f"{month:%Y-%m}")
    return bills


def replay_since(*, actor: User, door: Door, since: datetime, now: datetime) -> Sequence[Replayed]:
    """Fetch every event from then on, and learn again what each is about; nothing counts twice."""
    demand(actor, Action.OPERATE_FARM)
    house = demanded_gateway()
    with refusing():
        events = sorted(house.events(since, WANTED), key=lambda event: event.created_at)
        keep(events, fetched=True, now=now)
        rows = StripeEvent.objects.filter(uid__in=[event.id for event in events])
        replayed = [_again(house, row, now) for row in rows.order_by("happened_at", "pk")]
    _note(actor, door, f"since {since:%F %H:%M}")
    return replayed


def replay_one(*, actor: User, door: Door, which: str, now: datetime) -> Replayed:
    """Learn again what one event, or one thing by its id at Stripe, is; Refused for neither."""
    demand(actor, Action.OPERATE_FARM)
    house = demanded_gateway()
    with refusing():
        if row := StripeEvent.objects.filter(uid=which).first():
            done = _again(house, row, now)
        else:
            done = _thing(house, which, now)
    _note(actor, door, which)
    return done


def _again(house: Gateway, row: StripeEvent, now: datetime) -> Replayed:
    found = house.find(row.kind, row.subject, row.owner)
    with transaction.atomic():
        held = StripeEvent.objects.select_for_update(no_key=True).get(pk=row.pk)
        learnt = learn(held, found, now)
    return Replayed(row.uid, row.kind, row.subject, state_of(found), learnt)


def _thing(house: Gateway, which: str, now: datetime) -> Replayed:
    kind = KINDS.get(which.partition("_")[0], "")
    found = house.find(kind, which) if kind else None
    if found is None:
        sentence = _("Stripe knows nothing of that id: give that of an event, invoice or payment.")
        raise Refused("which", "unknown", sentence)
    with transaction.atomic():
        learnt = learn_found(found, now)
    return Replayed("", kind, which, state_of(found), learnt)


def _note(actor: User, door: Door, what: str) -> None:
    record(account=None, actor=actor, door=door, verb="replay Stripe", subject=what[:120])
