"""How rows wait that need Stripe: as long as its errors ask for, saying why once."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final, TypeVar

from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.troubles import Nap, jitter
from farm.billing.bill_rows import Bill, BillCredit, BillRound
from farm.billing.customer_rows import Refund, TopUp
from farm.billing.gateway_errors import GatewayError, NeedsOperator, Rejected, Transient
from farm.billing.stripe_rows import StripeEvent, StripeRound
from provisioning.lifecycle import back_off

logger = logging.getLogger(__name__)
OPERATOR_TAKES: Final = timedelta(minutes=10)
SOMEBODY_MENDS: Final = timedelta(hours=1)
"""What Stripe refuses as it is asked may be asked again once somebody changed what is there."""
LONGEST: Final = 200
NO_KEY: Final = "STRIPE_SECRET_KEY is not set any more."
Waiting = TypeVar("Waiting", StripeEvent, StripeRound, Bill, BillCredit, BillRound, TopUp, Refund)


def after_trouble(claim: Claim[Waiting], error: GatewayError) -> Nap:
    """Wait as long as the error asks for, and say why once; nothing is given up."""
    claim.row.attempts += 1
    if isinstance(error, NeedsOperator):
        return wait(claim, OPERATOR_TAKES, str(error))
    if isinstance(error, Rejected):
        return wait(claim, SOMEBODY_MENDS, str(error))
    named = error.retry_after if isinstance(error, Transient) else None
    nap = timedelta(seconds=named) if named else back_off(claim.row.attempts, jitter())
    return wait(claim, nap, str(error))


def wait(claim: Claim[Waiting], nap: timedelta, why: str) -> Nap:
    """The row says why it waits."""
    if claim.row.trouble != why[:LONGEST]:
        logger.error("%s waits: %s", claim.row, why)
        claim.row.trouble = why[:LONGEST]
        with claim.recording():
            claim.save("trouble")
    return nap
