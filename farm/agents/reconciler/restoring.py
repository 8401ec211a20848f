"""How what was saved comes onto a machine, and how an agent goes on when it cannot."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from farm.agents.events import note
from farm.agents.models import (
    Agent,
    AgentPhase,
    Backup,
    BackupState,
    OperationState,
    OperationStep,
    Server,
)
from farm.agents.reconciler.backups import sealed_file
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.failing import fail
from farm.agents.reconciler.machines import shell_of
from farm.agents.reconciler.marks import MOVED, begin_line, current, end_operation, move_agent
from farm.agents.reconciler.setting_up import WISH, server_of
from farm.agents.reconciler.troubles import Nap
from farm.agents.services.channels import doubt_software
from provisioning import backup as engine
from provisioning.backup import Extent
from provisioning.errors import ProvisioningError, Rejected
from provisioning.sealing import unseal

AT_ONCE = timedelta(0)
SOON = timedelta(seconds=1)
UNPACKED = 10
"""By how much an archive may grow when it is opened."""


def begin(claim: Claim[Agent]) -> Nap:
    """From here on no backup is made: its machine belongs to the restore."""
    agent, now = claim.row, timezone.now()
    with claim.recording():
        if agent.backups.filter(state=BackupState.MAKING).exists():
            return SOON
        move_agent(agent, AgentPhase.RESTORING, now)
        agent.step = ""
        claim.save("step", *MOVED)
        begin_line(agent, OperationStep.Key.BRING, now)
    return AT_ONCE


def restore(claim: Claim[Agent]) -> Nap:
    """Bring the backup to the machine and put it in place; done again, it does no harm."""
    agent = claim.row
    server = server_of(agent)
    if agent.restore_from:
        try:
            _bring(agent, agent.restore_from, server)
        except Rejected as error:
            return _refused(claim, server, error)
    now = timezone.now()
    with claim.recording():
        note(agent, "restored", at=now)
        doubt_software(agent)
        _go_on(claim)
    return AT_ONCE


def _bring(agent: Agent, backup: Backup, server: Server) -> None:
    """The plain text passes through the farm piece by piece and is never unpacked here."""
    own = backup.agent == agent
    limit = UNPACKED * settings.BACKUP_LIMIT_MB * 1_000_000
    with sealed_file(backup) as sealed, shell_of(server) as shell:
        try:
            engine.send(shell, lambda send: unseal(sealed, backup.key.private, send))
            engine.unpack(shell, limit=limit)
            engine.place(shell, Extent.ALL if own else Extent.FILES)
        except ProvisioningError:
            with suppress(ProvisioningError):
                engine.clear(shell)
            raise


def _refused(claim: Claim[Agent], server: Server, error: Rejected) -> Nap:
    """An agent that was running goes on with what it has; a new one has nothing to go on with."""
    agent, now = claim.row, timezone.now()
    if server.serving_since is None:
        return fail(claim, "backup_unusable", str(error))
    with claim.recording():
        note(agent, "restore_refused", at=now, detail=str(error))
        end_operation(agent, OperationState.FAILED, now)
        agent.restore_from = agent.saving = None
        claim.save(*WISH)
        _go_on(claim)
    return AT_ONCE


def _go_on(claim: Claim[Agent]) -> None:
    agent, now = claim.row, timezone.now()
    move_agent(agent, AgentPhase.CONFIGURING, now)
    agent.step = ""
    claim.save("step", *MOVED)
    begin_line(agent, OperationStep.Key.PERSONALITY, now)


def give_up(claim: Claim[Agent]) -> Nap:
    """What it has could not be saved, so nothing of it is touched."""
    agent, now = claim.row, timezone.now()
    detail = agent.saving.reason_detail if agent.saving else ""
    with claim.recording():
        wish = current(agent)
        agent.refresh_from_db(fields=["generation"])
        if wish and wish.generation == agent.generation:
            agent.fulfilled_generation = agent.generation
        agent.restore_from = agent.saving = None
        claim.save("fulfilled_generation", *WISH)
        note(agent, "restore_given_up", at=now, detail=detail)
        end_operation(agent, OperationState.FAILED, now)
    return AT_ONCE
