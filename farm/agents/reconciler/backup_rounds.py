"""The round: asks for the night's backups, and sweeps what lies in the store unknown."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from farm.agents.models import Agent, AgentPhase, Backup, BackupKind, BackupRound, BackupState
from farm.agents.pace import backup_round
from farm.agents.reconciler.buying import install_id
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.troubles import Nap
from farm.agents.saving import UNDER_WAY, ask_backup
from farm.agents.stores import chosen_store
from farm.agents.stores.port import Store
from provisioning.errors import ProvisioningError

logger = logging.getLogger(__name__)
QUARANTINE = timedelta(days=7)
"""How old an unknown object must be: a worker may be about to record it, or the farm's own database
may have come back from yesterday's copy."""
SWEEP_EVERY = timedelta(hours=1)
KNOWN = (BackupState.MAKING, BackupState.KEPT, BackupState.REMOVING)
AT_ONCE = 500


def ensure_backup_round(now: datetime) -> None:
    """The row that has the round made; one, driven like any other row."""
    BackupRound.objects.get_or_create(pk=1, defaults={"due_at": now})


def drive_round(claim: Claim[BackupRound]) -> Nap:
    """Ask for what is due; now and then look through the store."""
    now = timezone.now()
    ask_for_the_night(now)
    row = claim.row
    if row.swept_at is None or row.swept_at + SWEEP_EVERY <= now:
        sweep(chosen_store(), now)
        with claim.recording():
            row.swept_at, row.reason, row.reason_detail = now, "", ""
            claim.save("swept_at", "reason", "reason_detail")
    return backup_round()


def after_round_trouble(claim: Claim[BackupRound], error: ProvisioningError) -> Nap:
    """The store does not work: the doctor says so until it does."""
    row = claim.row
    if row.reason != error.code:
        logger.error("Backups: %s", error)
    with claim.recording():
        row.reason, row.reason_detail = error.code, str(error)[:500]
        claim.save("reason", "reason_detail")
    return backup_round()


def ask_for_the_night(now: datetime) -> None:
    """A backup for each agent that runs and whose minute of the night has come."""
    running = Agent.objects.filter(phase=AgentPhase.RUNNING, wanted=Agent.Wanted.RUNNING)
    since = now - timedelta(days=1)
    tried = Backup.objects.filter(kind=BackupKind.NIGHTLY, asked_at__gte=since)
    latest = dict(tried.order_by("asked_at").values_list("agent", "asked_at"))
    for agent in running.select_related("account").iterator():
        slot = slot_of(agent, now)
        woken_before = agent.running_since is not None and agent.running_since < slot
        if woken_before and not (agent.pk in latest and latest[agent.pk] >= slot):
            _ask(agent, slot, now)


def slot_of(agent: Agent, now: datetime) -> datetime:
    """The last time that its own minute of the night came; the same one every night."""
    spread = max(1, settings.BACKUP_SPREAD_MINUTES)
    minute = int(hashlib.sha256(agent.uid.encode()).hexdigest()[:8], 16) % spread
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    slot = midnight + timedelta(hours=settings.BACKUP_HOUR, minutes=minute)
    return slot if slot <= now else slot - timedelta(days=1)


@transaction.atomic
def _ask(agent: Agent, slot: datetime, now: datetime) -> None:
    """Once, whoever else makes the round; the agent's row is what both must pass."""
    locked = Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
    nightly = locked.backups.filter(kind=BackupKind.NIGHTLY)
    there = nightly.filter(asked_at__gte=slot).exists() or nightly.filter(state__in=UNDER_WAY)
    if not there:
        ask_backup(locked, BackupKind.NIGHTLY, now)


def sweep(store: Store, now: datetime) -> int:
    """Delete what no backup knows and nobody is about to record; how many there were."""
    ours = f"{install_id()}/"
    old = [
        found.place
        for found in store.found()
        if found.place.startswith(ours) and found.written_at < now - QUARANTINE
    ]
    lost = [
        place for at in range(0, len(old), AT_ONCE) for place in _unknown(old[at : at + AT_ONCE])
    ]
    for place in lost:
        logger.warning("An object that no backup knows is removed: %s", place)
        store.delete(place)
    return len(lost)


def _unknown(places: Sequence[str]) -> Sequence[str]:
    rows = Backup.objects.filter(place__in=places, state__in=KNOWN)
    known = set(rows.values_list("place", flat=True))
    return [place for place in places if place not in known]
