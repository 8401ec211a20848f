"""One step of a machine of the pool: its gateway started, warmed, washed, and looked at."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta

from django.utils import timezone

from farm.agents.models import Pool, PooledServer, Server, ServerPhase
from farm.agents.pace import SAFETY_NET, deadlines
from farm.agents.passes import edge_of_nobody, mark_written_on
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.machines import shell_of
from farm.agents.reconciler.troubles import Nap, distrust, jitter
from farm.catalog import catalog
from provisioning import runtime, warming
from provisioning.errors import HostKeyMismatch, ProvisioningError, Rejected, Transient
from provisioning.lifecycle import back_off, poll_delay
from provisioning.runtime import RuntimeSettings

AT_ONCE = timedelta(0)
LOOK_EVERY = timedelta(minutes=5)
HICCUPS = 3
Step = PooledServer.Step
ON_ITS_WAY = (ServerPhase.REQUESTED, ServerPhase.CREATING, ServerPhase.BOOTING)


def drive_pooled(claim: Claim[PooledServer]) -> Nap:
    """Take one step; nothing is done to a machine that has an agent, or is to go."""
    pooled = claim.row
    server = pooled.server
    if server.agent_id or server.wanted_gone:
        return None
    if server.distrusted_at:
        return give_back(claim)
    if server.phase in ON_ITS_WAY:
        return poll_delay(timezone.now() - server.phase_since, jitter())
    if server.phase != ServerPhase.READY:
        return None
    waited = timezone.now() - max(pooled.step_since, server.phase_since)
    if pooled.step != Step.WARM and waited > deadlines().configuring:
        return give_back(claim)
    return STEPS[Step(pooled.step)](claim)


def after_pooled_trouble(claim: Claim[PooledServer], error: ProvisioningError) -> Nap:
    """One that is strange, or whose runtime refuses, is given back; others wait.

    Nobody has anything on a strange one: it costs, and is not kept for whoever would look into it.
    """
    if isinstance(error, HostKeyMismatch):
        distrust(claim.row.server, error)
        return give_back(claim)
    if isinstance(error, Rejected):
        return give_back(claim)
    claim.row.attempts += 1
    return back_off(claim.row.attempts, jitter())


def settings_of_nobody(pooled: PooledServer) -> RuntimeSettings:
    """What its gateway runs with until somebody claims it."""
    return warming.settings_of_nobody(
        gateway_token=pooled.gateway_token,
        heap_mb=catalog().plans.get(pooled.pool.plan).heap_mb,
        runtime_version=pooled.runtime_version,
        edge=edge_of_nobody(pooled.server),
    )


def give_back(claim: Claim[PooledServer]) -> Nap:
    """It does not become ready: it goes, and its pool looks for another."""
    now, pooled = timezone.now(), claim.row
    with claim.recording():
        free = Server.objects.filter(pk=pooled.server_id, agent=None)
        free.update(wanted_gone=True, reason="install_failed", due_at=now)
        Pool.objects.filter(pk=pooled.pool_id).update(due_at=now)
    return None


def _begin(claim: Claim[PooledServer]) -> Nap:
    """Its own token is written down before the machine hears it."""
    pooled = claim.row
    if not pooled.gateway_token:
        pooled.gateway_token = secrets.token_urlsafe(32)
        with claim.recording():
            claim.save("gateway_token")
    nobodys = settings_of_nobody(pooled)
    with shell_of(pooled.server) as shell:
        warming.begin(shell, nobodys)
    pooled.started_with = warming.started_with(nobodys)
    with claim.recording():
        mark_written_on(pooled.server, nobodys.edge)
        claim.save("started_with")
    return _advance(claim, Step.STARTED)


def _await(claim: Claim[PooledServer]) -> Nap:
    """A program that starts answers nothing at first, and is looked at as often as an agent's."""
    try:
        well = _is_well(claim.row)
    except Transient:
        well = False
    if not well:
        return poll_delay(timezone.now() - claim.row.step_since, jitter())
    return _advance(claim, Step.TURNED)


def _turn(claim: Claim[PooledServer]) -> Nap:
    """What this leaves is washed away before anybody may claim it."""
    pooled = claim.row
    with shell_of(pooled.server) as shell:
        warming.turn(shell, settings_of_nobody(pooled))
        warming.wash(shell)
    return _advance(claim, Step.WARM)


def _look(claim: Claim[PooledServer]) -> Nap:
    """It may be claimed while it is well, and runs with what one would be started with now."""
    pooled = claim.row
    is_current = pooled.started_with == warming.started_with(settings_of_nobody(pooled))
    if is_current and _is_still_well(pooled):
        pooled.attempts = 0
        return LOOK_EVERY
    with claim.recording():
        # One row, one condition: whoever claimed it a moment ago keeps it as it is.
        free = Server.objects.filter(pk=pooled.server_id, agent=None)
        cooled = free.update(warmed_at=None)
    return _advance(claim, Step.COLD) if cooled else None


def _is_still_well(pooled: PooledServer) -> bool:
    """A silence that lasts is no hiccup."""
    try:
        return _is_well(pooled)
    except Transient:
        if pooled.attempts < HICCUPS:
            raise
        return False


def _is_well(pooled: PooledServer) -> bool:
    with shell_of(pooled.server) as shell:
        return runtime.readiness(shell, pooled.gateway_token).good


def _advance(claim: Claim[PooledServer], step: PooledServer.Step) -> Nap:
    pooled, now = claim.row, timezone.now()
    pooled.step, pooled.step_since, pooled.attempts = step, now, 0
    with claim.recording():
        claim.save("step", "step_since")
        if step == Step.WARM:
            free = Server.objects.filter(pk=pooled.server_id, agent=None, wanted_gone=False)
            free.update(warmed_at=now)
            Pool.objects.filter(pk=pooled.pool_id).update(due_at=now)
    return SAFETY_NET if step == Step.WARM else AT_ONCE


STEPS: Mapping[PooledServer.Step, Callable[[Claim[PooledServer]], Nap]] = {
    Step.COLD: _begin,
    Step.STARTED: _await,
    Step.TURNED: _turn,
    Step.WARM: _look,
}
