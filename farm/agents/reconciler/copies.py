"""One step of a copy of a disk: ordered once, ready when its cloud says so, gone when it is."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from farm.agents.events import note
from farm.agents.models import CopyPhase, DiskCopy, ProviderProject, Server
from farm.agents.pace import deadlines
from farm.agents.projects import project_at
from farm.agents.reconciler.buying import install_id
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.labels import COPY_LABEL, FARM_LABEL
from farm.agents.reconciler.machines import provider_at
from farm.agents.reconciler.marks import ring_agent
from farm.agents.reconciler.pauses import (
    RATE_LIMITED,
    mended,
    pause_for_everyone,
    pause_for_operator,
    paused_until,
    queue_up,
)
from farm.agents.reconciler.troubles import RATE_LIMIT, Nap, jitter, wait_with_reason
from provisioning.budget import OutOfBudget
from provisioning.errors import NeedsOperator, ProvisioningError, Rejected, Transient
from provisioning.lifecycle import back_off, poll_delay
from provisioning.provider import Billable, BillableKind, Copy, CopyStatus

logger = logging.getLogger(__name__)
AT_ONCE = timedelta(0)
SHOWN = ("cloud_id", "image", "location", "gigabytes", "disk_gb", "created_at")
MOVED = ("phase", "phase_since", "reason", "reason_detail")
VANISHED = "copy_vanished"


def drive_copy(claim: Claim[DiskCopy]) -> Nap:
    """Take one step; answers when to look again (None: when somebody rings)."""
    copy, now = claim.row, timezone.now()
    project = project_at(copy.server)
    if until := paused_until(project, now, creating=False):
        return until - now + timedelta(seconds=2 * jitter())
    nap = _step(claim)
    mended(project, created=False)
    return nap


def _step(claim: Claim[DiskCopy]) -> Nap:
    copy = claim.row
    match copy.phase:
        case CopyPhase.MAKING | CopyPhase.READY if copy.wanted_gone:
            return _leave(claim)
        case CopyPhase.MAKING:
            return _make(claim)
        case CopyPhase.READY:
            return _look(claim)
        case CopyPhase.LEAVING:
            return _end(claim)
        case _:
            return _look_again(claim)


def after_copy_trouble(claim: Claim[DiskCopy], error: ProvisioningError) -> Nap:
    """As for servers; a machine that is gone is its own row's to find out."""
    copy, now = claim.row, timezone.now()
    project = project_at(copy.server)
    if isinstance(error, NeedsOperator):
        reason = pause_for_operator(project, error, now)
        return wait_with_reason(claim, reason, back_off(6, jitter()))
    if isinstance(error, Transient) and error.code == RATE_LIMIT:
        until = pause_for_everyone(project, error, now)
        return wait_with_reason(claim, RATE_LIMITED, until - now + back_off(1, jitter()))
    if isinstance(error, Rejected):
        Server.objects.filter(pk=copy.server_id).update(due_at=now)
    copy.attempts += 1
    if isinstance(error, OutOfBudget):
        wait = timedelta(seconds=error.retry_after or 1)
        return wait_with_reason(claim, RATE_LIMITED, queue_up(project, wait, copy.attempts))
    logger.info("%s: attempt %s: %s", copy, copy.attempts, error)
    named = error.retry_after if isinstance(error, Transient) else None
    nap = timedelta(seconds=min(named, 300)) if named else back_off(copy.attempts, jitter())
    return wait_with_reason(claim, "provider_unreachable", nap, str(error))


def labels_of(copy: DiskCopy) -> Mapping[str, str]:
    """What no other copy has all of."""
    return {FARM_LABEL: install_id(), COPY_LABEL: copy.uid}


def ring_copies(project: ProviderProject, bills: Sequence[Billable], now: datetime) -> None:
    """Ring for every row that the cloud's list contradicts; each looks for itself."""
    listed = copies_in(bills)
    rows = DiskCopy.objects.filter(project=project)
    vanished = rows.filter(phase=CopyPhase.READY).exclude(uid__in=listed)
    returned = rows.filter(phase=CopyPhase.GONE, uid__in=listed)
    for some in (vanished, returned):
        some.update(due_at=now)


def copies_in(bills: Sequence[Billable]) -> frozenset[str]:
    """The uids on the copies of disks among what costs money."""
    snapshots = (bill for bill in bills if bill.kind is BillableKind.SNAPSHOT)
    return frozenset(filter(None, (bill.labels.get(COPY_LABEL) for bill in snapshots)))


def _make(claim: Claim[DiskCopy]) -> Nap:
    """Order it, or take what an order made whose answer was lost."""
    row, provider = claim.row, provider_at(claim.row.server)
    copy = _best(provider.copies(labels_of(row)))
    if copy is None or (copy.status is CopyStatus.MAKING and not copy.image):
        copy = provider.snapshot(
            row.server.provider_id, description=f"asleep: {row.server}", labels=labels_of(row)
        )
    if copy.status is CopyStatus.BROKEN:
        provider.discard(copy)
        _note_broken(claim)
        return back_off(row.attempts, jitter())
    _note_shown(claim, copy)
    if copy.status is CopyStatus.MAKING:
        return poll_delay(timezone.now() - row.phase_since, jitter())
    _record(claim, CopyPhase.READY)
    return None


def _leave(claim: Claim[DiskCopy]) -> Nap:
    _record(claim, CopyPhase.LEAVING)
    return AT_ONCE


def _end(claim: Claim[DiskCopy]) -> Nap:
    """Gone is what the cloud shows; an order whose answer was lost may still come to light."""
    row, now = claim.row, timezone.now()
    provider = provider_at(row.server)
    there = provider.copies(labels_of(row))
    for copy in there:
        provider.discard(copy)
    settled = row.phase_since + deadlines().settling
    if there:
        return poll_delay(now - row.phase_since, jitter())
    if not row.cloud_id and now < settled:
        return settled - now
    _record_gone(claim)
    return None


def _look(claim: Claim[DiskCopy]) -> Nap:
    """The cloud's list has it no more: is it there?"""
    if _best(provider_at(claim.row.server).copies(labels_of(claim.row))) is None:
        _record_gone(claim, reason=VANISHED)
    return None


def _look_again(claim: Claim[DiskCopy]) -> Nap:
    """It is in the cloud's list again: it goes, unless it was out of sight only."""
    row = claim.row
    if _best(provider_at(row.server).copies(labels_of(row))) is None:
        return None
    row.gone_at, row.metered = None, False
    with claim.recording():
        claim.save("gone_at", "metered")
    _record(claim, CopyPhase.LEAVING if row.wanted_gone else CopyPhase.READY)
    return AT_ONCE if row.wanted_gone else None


def _best(there: Sequence[Copy]) -> Copy | None:
    ranks = (CopyStatus.READY, CopyStatus.MAKING, CopyStatus.BROKEN)
    return min(there, key=lambda copy: ranks.index(copy.status), default=None)


def _note_shown(claim: Claim[DiskCopy], copy: Copy) -> None:
    row = claim.row
    row.cloud_id, row.image, row.location = copy.id, copy.image, copy.location
    row.gigabytes, row.disk_gb = copy.gigabytes, copy.disk_gb
    row.created_at = copy.created_at or row.created_at or row.asked_at
    with claim.recording():
        claim.save(*SHOWN)


def _note_broken(claim: Claim[DiskCopy]) -> None:
    row = claim.row
    row.attempts += 1
    with claim.recording():
        note(row.agent, "copy_broken", at=timezone.now(), server_uid=row.server.uid)


def _record(claim: Claim[DiskCopy], phase: CopyPhase) -> None:
    row, now = claim.row, timezone.now()
    row.phase, row.phase_since, row.attempts = phase, now, 0
    row.reason, row.reason_detail = "", ""
    with claim.recording():
        claim.save(*MOVED)
        _ring(row, now)
        if phase == CopyPhase.READY:
            note(row.agent, "copy_ready", at=now, server_uid=row.server.uid)


def _record_gone(claim: Claim[DiskCopy], reason: str = "") -> None:
    row, now = claim.row, timezone.now()
    row.phase, row.phase_since, row.attempts = CopyPhase.GONE, now, 0
    row.gone_at, row.reason, row.reason_detail = now, reason, ""
    with claim.recording():
        claim.save("gone_at", *MOVED)
        _ring(row, now)
        note(row.agent, reason or "copy_gone", at=now, server_uid=row.server.uid)


def _ring(row: DiskCopy, now: datetime) -> None:
    """Its machine waits for it, or its agent does; once this transaction is committed."""
    Server.objects.filter(pk=row.server_id).exclude(gone_at__isnull=False).update(due_at=now)
    ring_agent(row.server)
