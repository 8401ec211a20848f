"""One step of a backup: make and keep it, or remove it once its time is over."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO, cast

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from farm.agents.events import note
from farm.agents.machine_of import machine_of, on_trial
from farm.agents.models import Agent, AgentPhase, Backup, BackupState, Server
from farm.agents.pace import SAFETY_NET, backup_kept, backup_kept_after_deletion
from farm.agents.reconciler.buying import install_id
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.machines import shell_of
from farm.agents.reconciler.troubles import Nap, distrust, jitter
from farm.agents.saving import UNDER_WAY, comes_on_again, last_good, serving_machine
from farm.agents.stores import chosen_store, store_called
from farm.env import own_folder
from provisioning import backup as engine
from provisioning.errors import HostKeyMismatch, ProvisioningError, Rejected, Transient
from provisioning.lifecycle import back_off

logger = logging.getLogger(__name__)
MOST_TRIES = 6
SAVED = (AgentPhase.RUNNING, AgentPhase.STOPPING, AgentPhase.STOPPED, AgentPhase.WAKING)
"""Phases of agents that need what they last saved."""
A_DAY = timedelta(days=1)
END = ("state", "reason", "reason_detail")
KEPT = ("size", "sha256", "made_at", "expires_at", *END)


def its_turn() -> Q:
    """One backup of an agent at a time, in the order they were asked for."""
    earlier = Backup.objects.filter(
        agent=OuterRef("agent"), pk__lt=OuterRef("pk"), state__in=UNDER_WAY
    )
    there = Q(state__in=(BackupState.KEPT, BackupState.REMOVING))
    return there | Q(~Exists(earlier), state__in=UNDER_WAY)


def drive_backup(claim: Claim[Backup]) -> Nap:
    """Take one step; answers when to look again."""
    state = claim.row.state
    if state in UNDER_WAY:
        return _make(claim)
    if state == BackupState.KEPT:
        return _retire(claim)
    return _remove(claim) if state == BackupState.REMOVING else None


def after_backup_trouble(claim: Claim[Backup], error: ProvisioningError) -> Nap:
    """Try again a few times; then it has failed, and its agent's page says so."""
    row = claim.row
    row.attempts += 1
    logger.info("%s: attempt %s: %s", row, row.attempts, error)
    if isinstance(error, HostKeyMismatch):
        if server := machine_of(row.agent):
            distrust(server, error)
        return _fail(claim, error)
    over = isinstance(error, Rejected) or row.attempts >= MOST_TRIES
    if row.state in UNDER_WAY and over:
        return _fail(claim, error)
    return back_off(row.attempts + 2, jitter())


def _make(claim: Claim[Backup]) -> Nap:
    agent = claim.row.agent
    if agent.phase == AgentPhase.RESTORING or comes_on_again(agent) or on_trial(agent):
        return SAFETY_NET
    server = serving_machine(agent)
    if server is None:
        return _fail(claim, Rejected("backup_no_machine", ""))
    if not _intend(claim):
        return SAFETY_NET
    with _fetched(claim.row, server) as made:
        store = store_called(claim.row.store)
        store.put(claim.row.place, made.file, size=made.sealed.size, sha256=made.sealed.sha256)
    return _record_kept(claim, made.sealed)


def _intend(claim: Claim[Backup]) -> bool:
    """Write down where it will be before anything is there; False if a restore came first.

    Each try has a name of its own: of two workers neither writes over what the other records.
    """
    row, before = claim.row, (claim.row.store, claim.row.place)
    with claim.recording():
        locked = Agent.objects.select_for_update(no_key=True).get(pk=row.agent.pk)
        if locked.phase == AgentPhase.RESTORING:
            return False
        row.state, row.store = BackupState.MAKING, chosen_store().name
        row.place = f"{install_id()}/{locked.uid}/{row.uid}-{claim.token[:8]}.age"
        claim.save("state", "store", "place")
    if all(before):
        # What is missed here, the round sweeps.
        with suppress(ProvisioningError):
            store_called(before[0]).delete(before[1])
    return True


@dataclass(frozen=True, slots=True)
class _Made:
    """A sealed backup on its way, in a file without a name."""

    sealed: engine.Sealed
    file: BinaryIO


@contextmanager
def _fetched(row: Backup, server: Server) -> Iterator[_Made]:
    with _spool() as file:
        with shell_of(server) as shell:
            try:
                sealed = engine.make(shell, row.key.public)
                limit = settings.BACKUP_LIMIT_MB * 1_000_000
                engine.fetch(shell, sealed, _into(file), limit=limit)
            finally:
                with suppress(ProvisioningError):
                    engine.clear(shell)
        file.seek(0)
        yield _Made(sealed, file)


@contextmanager
def _spool() -> Iterator[BinaryIO]:
    """A file that is gone with the process, on the disk that has room for backups."""
    folder = own_folder(settings.BACKUPS / "spool")
    with tempfile.TemporaryFile(dir=folder) as file:
        yield cast(BinaryIO, file)


class _into:  # noqa: N801 - it is used as a function
    """Takes pieces into a file; our own disk's trouble must not look like the machine's."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __call__(self, piece: bytes) -> None:
        try:
            self._file.write(piece)
        except OSError as error:
            sentence = f"The farm's disk takes no backup: {error.strerror}."
            raise Transient("store_unreachable", sentence) from error


@contextmanager
def sealed_file(row: Backup) -> Iterator[BinaryIO]:
    """What is kept of a backup, found to be what was put there. Rejected "backup_damaged"."""
    seal, size = hashlib.sha256(), 0
    with _spool() as copy, store_called(row.store).read(row.place) as kept:
        while piece := kept.read(1024 * 1024):
            size += len(piece)
            if size > (row.size or 0):
                break
            seal.update(piece)
            _into(copy)(piece)
        if (size, seal.hexdigest()) != (row.size, row.sha256):
            raise Rejected("backup_damaged", "What is kept is not what was put there.")
        copy.seek(0)
        yield copy


def _record_kept(claim: Claim[Backup], sealed: engine.Sealed) -> Nap:
    row, now = claim.row, timezone.now()
    with claim.recording():
        row.state, row.reason, row.reason_detail = BackupState.KEPT, "", ""
        row.size, row.sha256, row.made_at = sealed.size, sealed.sha256, now
        row.attempts, row.expires_at = 0, now + backup_kept()
        claim.save(*KEPT)
        note(row.agent, "backup_kept", at=now)
        _ring(row, now)
    return row.expires_at - now


def _fail(claim: Claim[Backup], error: ProvisioningError) -> Nap:
    row, now = claim.row, timezone.now()
    with claim.recording():
        row.state, row.reason = BackupState.FAILED, error.code
        row.reason_detail = str(error)[:500]
        claim.save(*END)
        note(row.agent, "backup_failed", at=now, detail=str(error))
        _ring(row, now)
    return None


def _ring(row: Backup, now: datetime) -> None:
    """Its agent may be waiting for it."""
    Agent.objects.filter(pk=row.agent.pk).update(due_at=now)


def _retire(claim: Claim[Backup]) -> Nap:
    """Its time is over, unless it is all that its agent has, or on its way back to a machine."""
    row, now = claim.row, timezone.now()
    if row.expires_at and row.expires_at > now:
        return row.expires_at - now
    with claim.recording():
        agent = Agent.objects.select_for_update(no_key=True).get(pk=row.agent.pk)
        if _is_needed(row, agent):
            return A_DAY
        row.state = BackupState.REMOVING
        claim.save("state")
    return timedelta(0)


def _is_needed(row: Backup, agent: Agent) -> bool:
    asked = Q(restore_from=row) | Q(saving=row, phase__in=SAVED)
    if Agent.objects.filter(asked).exists():
        return True
    return agent.phase != AgentPhase.DELETED and last_good(agent) == row


def _remove(claim: Claim[Backup]) -> Nap:
    store_called(claim.row.store).delete(claim.row.place)
    with claim.recording():
        claim.row.state = BackupState.REMOVED
        claim.save("state")
    return None


def keep_the_last(agent: Agent, now: datetime) -> None:
    """A deleted agent's last good backup stays for a while; in the transaction of its end."""
    last = last_good(agent)
    if last:
        until = now + backup_kept_after_deletion()
        Backup.objects.filter(pk=last.pk).update(expires_at=until, due_at=until)
