"""Stripe's events on their way: fetch what each is about, and read those that never arrived."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.stripe_waits import NO_KEY, OPERATOR_TAKES, after_trouble, wait
from farm.agents.reconciler.troubles import Nap, jitter
from farm.billing.gateway_errors import GatewayError
from farm.billing.opening import gateway
from farm.billing.stripe_events import keep, learn, missed
from farm.billing.stripe_rows import StripeEvent, StripeRound
from provisioning.lifecycle import back_off


def drive_stripe_event(claim: Claim[StripeEvent]) -> Nap:
    """Look what the thing is now, and tell billing."""
    event, house = claim.row, gateway()
    if house is None:
        return wait(claim, OPERATOR_TAKES, NO_KEY)
    try:
        found = house.find(event.kind, event.subject, event.owner)
    except GatewayError as error:
        return after_trouble(claim, error)
    with claim.recording():
        understood = learn(event, found, timezone.now())
    event.attempts = 0 if understood else event.attempts + 1
    return None if understood else back_off(event.attempts, jitter())


def drive_stripe_round(claim: Claim[StripeRound]) -> Nap:
    """Keep what happened since the last round and is not here; most of it is."""
    house = gateway()
    if house is None:
        return wait(claim, OPERATOR_TAKES, NO_KEY)
    row, now = claim.row, timezone.now()
    try:
        events = missed(house, row.read_to, now)
    except GatewayError as error:
        return after_trouble(claim, error)
    keep(events, fetched=True, now=now)
    with claim.recording():
        # Stripe's own clock: ours may be another.
        row.read_to, row.trouble = events[-1].created_at if events else row.read_to, ""
        claim.save("read_to", "trouble")
    row.attempts = 0
    return timedelta(seconds=settings.STRIPE_ROUND_SECONDS)
