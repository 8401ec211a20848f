"""An agent that is ready, but whose model's account cannot pay: it waits, and looks again."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from farm.agents.models import Agent
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.failing import fail
from farm.agents.reconciler.marks import began_at
from farm.agents.reconciler.troubles import Nap, wait_with_reason

LOOK_AGAIN = timedelta(minutes=1)
PATIENCE = timedelta(days=7)
"""Its machine costs the farm meanwhile, and nobody else."""


def await_credit(claim: Claim[Agent]) -> Nap:
    """Wait for credit or another key; the usual deadline of this phase begins anew each time."""
    agent, now = claim.row, timezone.now()
    if now - began_at(agent) > PATIENCE:
        return fail(claim, "no_answer", "The model's account had no credit for a week.")
    agent.phase_since = now
    with claim.recording():
        claim.save("phase_since")
    return wait_with_reason(claim, "credit_awaited", LOOK_AGAIN)
