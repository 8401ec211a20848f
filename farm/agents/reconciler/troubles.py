"""What a step that could not be taken means: wait, pause a cloud, raise the alarm, or give up."""

from __future__ import annotations

import logging
import random
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import transaction
from django.utils import timezone

from farm.agents.machine_of import machine_of
from farm.agents.models import Agent, DiskCopy, Server
from farm.agents.projects import project_at
from farm.agents.reconciler.claims import Claim, Row
from farm.agents.reconciler.marks import note_server, ring_agent
from farm.agents.reconciler.pauses import (
    RATE_LIMITED,
    pause_for_everyone,
    pause_for_operator,
    queue_up,
)
from provisioning.budget import NO_BUDGET
from provisioning.errors import HostKeyMismatch, NeedsOperator, ProvisioningError, Transient
from provisioning.lifecycle import back_off

logger = logging.getLogger(__name__)
Nap = timedelta | None
RATE_LIMIT = "rate_limit_exceeded"
PROTECTED = "protected"
GIVEN_UP = ("create_timeout", "create_failed", "boot_timeout", "install_failed")
"""Why a machine was given up; its agent counts by it, so that no later trouble takes its place."""
MODEL_TROUBLES = ("model_busy", "model_failed")
Waiting = TypeVar("Waiting", Server, Agent, DiskCopy)


def jitter() -> float:
    """A number within 0..1 that spreads what would happen at once."""
    return random.random()  # noqa: S311 - no secret


def wait_with_reason(claim: Claim[Waiting], reason: str, nap: timedelta, detail: str = "") -> Nap:
    """Have the row say why it waits, once, and answer how long."""
    row = claim.row
    if row.reason in GIVEN_UP:
        return nap
    if (row.reason, row.reason_detail) != (reason, detail[:500]):
        row.reason, row.reason_detail = reason, detail[:500]
        with claim.recording():
            claim.save("reason", "reason_detail")
    return nap


def after_server_trouble(claim: Claim[Server], error: ProvisioningError) -> Nap:
    """Sorted by what we do about it; whatever is not known to be mended elsewhere backs off."""
    now = timezone.now()
    server = claim.row
    if isinstance(error, HostKeyMismatch):
        distrust(server, error)
        return None
    if error.code == PROTECTED:
        return _wait_for_release(claim, error)
    if isinstance(error, NeedsOperator):
        reason = pause_for_operator(project_at(server), error, now)
        return wait_with_reason(claim, reason, back_off(6, jitter()))
    if isinstance(error, Transient) and error.code == RATE_LIMIT:
        until = pause_for_everyone(project_at(server), error, now)
        return wait_with_reason(claim, RATE_LIMITED, until - now + back_off(1, jitter()))
    if error.code == NO_BUDGET:
        server.attempts += 1
        wait = _named_wait(error) or back_off(1, jitter())
        nap = queue_up(project_at(server), wait, server.attempts)
        return wait_with_reason(claim, RATE_LIMITED, nap)
    server.attempts += 1
    logger.info("%s: attempt %s: %s", server, server.attempts, error)
    nap = _named_wait(error) or back_off(server.attempts, jitter())
    return wait_with_reason(claim, "provider_unreachable", nap, str(error))


def _wait_for_release(claim: Claim[Server], error: ProvisioningError) -> Nap:
    """The operator must let this one machine go; the account is well, so nobody else waits."""
    server = claim.row
    server.attempts += 1
    if server.reason != "machine_protected":
        logger.error("%s needs the operator (%s): %s", server, error.code, error)
    nap = back_off(server.attempts, jitter())
    return wait_with_reason(claim, "machine_protected", nap, str(error))


def after_agent_trouble(claim: Claim[Agent], error: ProvisioningError) -> Nap:
    """As for servers; a cloud is not asked in an agent's steps."""
    agent = claim.row
    if isinstance(error, HostKeyMismatch):
        if server := machine_of(agent):
            distrust(server, error)
        return timedelta(0)
    agent.attempts += 1
    logger.info("%s: attempt %s: %s", agent, agent.attempts, error)
    nap = _named_wait(error) or back_off(agent.attempts, jitter())
    reason = "model_silent" if error.code in MODEL_TROUBLES else "machine_unreachable"
    return wait_with_reason(claim, reason, nap, str(error))


def after_crash(claim: Claim[Row], error: Exception) -> Nap:
    """A mistake of ours in one row: say so, leave it for a while, and go on with the others."""
    claim.row.attempts += 1
    logger.error("%s: %r", claim.row, error, exc_info=error)
    return back_off(claim.row.attempts + 3, jitter())


def distrust(server: Server, error: HostKeyMismatch) -> None:
    """From here on nothing is sent to the machine; the operator and the member are told."""
    now: datetime = timezone.now()
    with transaction.atomic():
        news = Server.objects.filter(pk=server.pk, distrusted_at=None).update(distrusted_at=now)
        if not news:
            return
        note_server(server, "host_key_mismatch", now, detail=str(error))
        ring_agent(server)
    server.distrusted_at = now
    logger.critical("%s: %s", server, error)


def _named_wait(error: ProvisioningError) -> timedelta | None:
    seconds = error.retry_after if isinstance(error, Transient) else None
    return timedelta(seconds=min(seconds, 300)) if seconds else None
