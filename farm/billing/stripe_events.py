"""Events of Stripe's: kept once each, whoever brings them; what they are about is looked up later.

What an event carries is not believed beyond its id: it may be late, and another one newer. A worker
fetches the thing itself, and `learn` is told what it is now.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from farm.bell import ring
from farm.billing.customer_rows import Refund, TopUp
from farm.billing.gateway_values import Card, Checkout, CreditNote, Customer, Event, Found
from farm.billing.learning import learn_found
from farm.billing.learning_people import forget_tax_id
from farm.billing.stripe_rows import StripeEvent, StripeRound

if TYPE_CHECKING:
    from farm.billing.gateway import Gateway

WANTED: Final = (
    "checkout.session.completed",
    "checkout.session.expired",
    "setup_intent.succeeded",
    "payment_intent.succeeded",
    "payment_method.detached",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_failed",
    "invoice.payment_action_required",
    "invoice.voided",
    "invoice.marked_uncollectible",
    "credit_note.created",
    "refund.created",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "charge.dispute.closed",
    "customer.updated",
    "customer.tax_id.updated",
)
"""Twenty at most, as many as a list of events can be asked for. Others are heard and let go."""
REMEMBERED: Final = timedelta(days=29)
"""Stripe forgets events after thirty days."""
HOPE: Final = timedelta(days=3)
"""For so long it is waited for what an event needs to be understood."""
OVERLAP: Final = timedelta(hours=1)
GONE: Final = "gone"


def hear(*, gateway: Gateway, raw: bytes, signature: str, now: datetime) -> None:
    """Keep what a webhook tells; Forged if these bytes are not Stripe's, or too old."""
    keep([gateway.event_in(raw, signature)], fetched=False, now=now)


@transaction.atomic
def keep(events: Iterable[Event], *, fetched: bool, now: datetime) -> None:
    """Events that are wanted and not here yet; a worker is told of them."""
    wanted = [event for event in events if event.type in WANTED]
    rows = [
        StripeEvent(
            uid=event.id,
            type=event.type,
            happened_at=event.created_at,
            kind=event.kind,
            subject=event.subject,
            owner=event.owner,
            came_at=now,
            fetched=fetched,
            due_at=now,
        )
        for event in wanted
    ]
    StripeEvent.objects.bulk_create(rows, ignore_conflicts=True)
    if rows:
        ring()


def learn(event: StripeEvent, found: Found | None, now: datetime) -> bool:
    """The thing that an event was about is this now; None: it is there no more.

    False while it cannot be understood, because more is to come: then it is to be looked at again.
    """
    if found is None and event.kind == "tax_id":
        forget_tax_id(event.subject)
    understood = found is None or learn_found(found, now, event.owner)
    if not understood and event.came_at > now - HOPE:
        return False
    event.state, event.worked_at, event.trouble = state_of(found), now, ""
    event.save(update_fields=["state", "worked_at", "trouble"])
    return True


def state_of(found: Found | None) -> str:
    """One word for what a thing is now."""
    match found:
        case None:
            return GONE
        case Checkout():
            return "paid" if found.is_paid else found.status.value
        case Card():
            return "kept" if found.customer else "detached"
        case Customer() | CreditNote():
            return "there"
        case _:
            return found.status


def trouble() -> str:
    """Why events, charges or refunds wait, or were just refused; "" while they do not."""
    waiting = StripeEvent.objects.filter(worked_at=None).exclude(trouble="").order_by("came_at")
    reader = StripeRound.objects.exclude(trouble="")
    charges = TopUp.objects.filter(ended_at=None).exclude(trouble="").order_by("asked_at")
    fresh = Q(ended_at=None) | Q(state=Refund.State.REFUSED, ended_at__gt=timezone.now() - HOPE)
    refunds = Refund.objects.filter(fresh).exclude(trouble="").order_by("asked_at")
    rows = (waiting.first(), reader.first(), charges.first(), refunds.first())
    return next((row.trouble for row in rows if row), "")


def ensure_stripe_round(now: datetime) -> None:
    """The row that has missed events fetched; made once, driven like any other row."""
    StripeRound.objects.get_or_create(pk=1, defaults={"due_at": now})


def missed(gateway: Gateway, read_to: datetime | None, now: datetime) -> list[Event]:
    """What happened since, the oldest first; an hour is read twice: clocks differ."""
    since = read_to - OVERLAP if read_to else now - REMEMBERED
    return sorted(gateway.events(since, WANTED), key=lambda event: event.created_at)
