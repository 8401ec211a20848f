"""Refunds on their way: a credit note asked for once, and learnt at once."""

from __future__ import annotations

import logging

from django.db.models import Q
from django.utils import timezone

from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.stripe_waits import NO_KEY, OPERATOR_TAKES, after_trouble, wait
from farm.agents.reconciler.troubles import Nap
from farm.billing.customer_rows import Refund
from farm.billing.gateway_errors import GatewayError, Rejected
from farm.billing.learning import learn_found
from farm.billing.opening import gateway
from farm.billing.refunds import note_done, note_refused, wish_of_refund

logger = logging.getLogger(__name__)
ENDED = ("state", "ended_at", "trouble", "note", "reference")


def asked_for() -> Q:
    """Refunds that are still to be asked for."""
    return Q(state=Refund.State.ASKED)


def drive_refund(claim: Claim[Refund]) -> Nap:
    """Have the credit note made; what Stripe refuses for good is told and left."""
    asked, house = claim.row, gateway()
    if house is None:
        return wait(claim, OPERATOR_TAKES, NO_KEY)
    try:
        paper = house.find("invoice", asked.top_up.invoice)
        note = house.credit(wish_of_refund(asked), f"refund:{asked.uid}")
    except Rejected as error:
        logger.exception("Stripe refuses to give back %s.", asked)
        note_refused(asked, str(error), timezone.now())
        with claim.recording():
            claim.save(*ENDED)
        return None
    except GatewayError as error:
        return after_trouble(claim, error)
    now = timezone.now()
    with claim.recording():
        for found in (paper, note):
            if found:
                learn_found(found, now)
        note_done(asked, note, now)
        claim.save(*ENDED)
    return None
