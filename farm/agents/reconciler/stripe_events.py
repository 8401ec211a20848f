"""Stripe's events on their way: fetch what each is about, and read those that never arrived."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.troubles import Nap, jitter
from farm.billing.gateway_errors import GatewayError, NeedsOperator, Transient
from farm.billing.opening import gateway
from farm.billing.stripe_events import keep, learn, missed
from farm.billing.stripe_rows import StripeEvent, StripeRound
from provisioning.lifecycle import back_off

logger = logging.getLogger(__name__)
OPERATOR_TAKES = timedelta(minutes=10)
LONGEST = 200
NO_KEY = "STRIPE_SECRET_KEY is not set any more."


def drive_stripe_event(claim: Claim[StripeEvent]) -> Nap:
    """Look what the thing is now, and tell billing."""
    event, house = claim.row, gateway()
    if house is None:
        return _wait(claim, OPERATOR_TAKES, NO_KEY)
    try:
        found = house.find(event.kind, event.subject, event.owner)
    except GatewayError as error:
        return _after_trouble(claim, error)
    with claim.recording():
        understood = learn(event, found, timezone.now())
    event.attempts = 0 if understood else event.attempts + 1
    return None if understood else back_off(event.attempts, jitter())


def drive_stripe_round(claim: Claim[StripeRound]) -> Nap:
    """Keep what happened since the last round and is not here; most of it is."""
    house = gateway()
    if house is None:
        return _wait(claim, OPERATOR_TAKES, NO_KEY)
    row, now = claim.row, timezone.now()
    try:
        events = missed(house, row.read_to, now)
    except GatewayError as error:
        return _after_trouble(claim, error)
    keep(events, fetched=True, now=now)
    with claim.recording():
        # Stripe's own clock: ours may be another.
        row.read_to, row.trouble = events[-1].created_at if events else row.read_to, ""
        claim.save("read_to", "trouble")
    row.attempts = 0
    return timedelta(seconds=settings.STRIPE_ROUND_SECONDS)


def _after_trouble(claim: Claim[StripeEvent] | Claim[StripeRound], error: GatewayError) -> Nap:
    """Wait as long as the error asks for, and say why once; nothing is given up."""
    claim.row.attempts += 1
    if isinstance(error, NeedsOperator):
        return _wait(claim, OPERATOR_TAKES, str(error))
    named = error.retry_after if isinstance(error, Transient) else None
    nap = timedelta(seconds=named) if named else back_off(claim.row.attempts, jitter())
    return _wait(claim, nap, str(error))


def _wait(claim: Claim[StripeEvent] | Claim[StripeRound], nap: timedelta, why: str) -> Nap:
    if claim.row.trouble != why[:LONGEST]:
        logger.error("%s waits: %s", claim.row, why)
        claim.row.trouble = why[:LONGEST]
        with claim.recording():
            claim.save("trouble")
    return nap
