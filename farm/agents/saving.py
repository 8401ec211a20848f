"""Backups as rows: asked for, the last good one, and the account's keys."""

from __future__ import annotations

from datetime import datetime

from farm.accounts.models import Account
from farm.agents.machine_of import machine_of
from farm.agents.models import (
    Agent,
    AgentPhase,
    Backup,
    BackupKey,
    BackupKind,
    BackupState,
    Server,
    ServerPhase,
)
from farm.agents.pace import final_backup
from provisioning.sealing import new_key_pair
from provisioning.steps import Saving

UNDER_WAY = (BackupState.ASKED, BackupState.MAKING)
SETTLED = (
    AgentPhase.CONFIGURING,
    AgentPhase.RUNNING,
    AgentPhase.MOVING,
    AgentPhase.RESIZING,
    AgentPhase.FAILED,
)
"""Phases in which what is on a machine is the agent's own, and whole."""


def ask_backup(agent: Agent, kind: BackupKind, now: datetime) -> Backup:
    """A backup to be made by a worker; inside the caller's transaction."""
    return Backup.objects.create(
        agent=agent,
        kind=kind,
        asked_at=now,
        key=_key_of(agent.account, now),
        runtime_version=agent.runtime_version,
        due_at=now,
    )


def serving_machine(agent: Agent) -> Server | None:
    """Its machine, if there is work of its member on it and it may be spoken to."""
    newest = machine_of(agent)
    if newest is None or newest.phase != ServerPhase.READY or newest.wanted_gone:
        return None
    serves = newest.serving_since is not None and newest.distrusted_at is None
    return newest if serves and agent.phase in SETTLED else None


def comes_on_again(agent: Agent) -> bool:
    """Whether it can be saved in a moment: its machine is off only to become another type."""
    machine = machine_of(agent)
    if agent.phase != AgentPhase.RESIZING or machine is None or machine.wanted_gone:
        return False
    off = (ServerPhase.HALTING, ServerPhase.OFF, ServerPhase.WAKING)
    return machine.phase in off and machine.distrusted_at is None


def last_good(agent: Agent) -> Backup | None:
    """Its newest backup that is kept."""
    return agent.backups.filter(state=BackupState.KEPT).order_by("made_at").last()


def saving_of(agent: Agent, now: datetime) -> Saving:
    """How the backup stands that the agent's wish waits for.

    One that takes too long counts as failed, and still as kept if it comes late.
    """
    backup = agent.saving
    if backup is None:
        return Saving.NOTHING
    if backup.state not in (*UNDER_WAY, BackupState.FAILED):
        return Saving.KEPT
    late = now - backup.asked_at > final_backup()
    return Saving.FAILED if late or backup.state == BackupState.FAILED else Saving.UNDER_WAY


def waits_for_word(agent: Agent, now: datetime) -> bool:
    """Whether its deletion waits because what it has could not be saved."""
    leaving = agent.wanted == Agent.Wanted.DELETED
    gone = agent.phase in (AgentPhase.DELETING, AgentPhase.DELETED)
    return leaving and not gone and saving_of(agent, now) is Saving.FAILED


def _key_of(account: Account, now: datetime) -> BackupKey:
    """The account's key pair; made when it is first needed, and of two at once the first stays."""
    pair = new_key_pair()
    key, _ = BackupKey.objects.get_or_create(
        account=account,
        defaults={"created_at": now, "public": pair.public, "private": pair.private},
    )
    return key
