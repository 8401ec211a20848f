"""What is kept of agents: for their pages, the command line, the doctor and the operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Q, QuerySet

from farm.agents.models import (
    Agent,
    AgentPhase,
    Backup,
    BackupRound,
    BackupState,
    Operation,
    OperationKind,
)
from farm.agents.saving import UNDER_WAY, last_good, serving_machine, waits_for_word

__all__ = [
    "BackupHealth",
    "Keeping",
    "backup_health",
    "backups_of",
    "keeping_of",
    "kept_until",
    "waits_for_word",
]

LATE = timedelta(hours=36)
"""How old the newest good backup of a running agent may be before somebody should look."""


def backups_of(agent: Agent) -> QuerySet[Backup]:
    """Every backup that is kept, under way or failed lately, the newest first."""
    shown = (*UNDER_WAY, BackupState.KEPT)
    failed = Q(state=BackupState.FAILED, pk__gte=_last_kept_pk(agent))
    return agent.backups.filter(Q(state__in=shown) | failed).order_by("-pk")


@dataclass(frozen=True, slots=True)
class Keeping:
    """How it stands with an agent's backups.

    `possible`: one can be made now. `failed` is the newest when it failed. `restore` is the last
    restore of it, under way or ended.
    """

    backups: Sequence[Backup]
    possible: bool
    failed: Backup | None
    restore: Operation | None


def keeping_of(agent: Agent) -> Keeping:
    """For the agent's page."""
    backups = list(backups_of(agent))
    newest = backups[0] if backups else None
    restores = agent.operations.filter(kind=OperationKind.RESTORE)
    return Keeping(
        backups=backups,
        possible=agent.wanted == Agent.Wanted.RUNNING and serving_machine(agent) is not None,
        failed=newest if newest and newest.state == BackupState.FAILED else None,
        restore=restores.order_by("pk").last(),
    )


def kept_until(agent: Agent) -> datetime | None:
    """Until when a deleted agent can be brought back; None if it cannot."""
    last = last_good(agent)
    return last.expires_at if last and agent.phase == AgentPhase.DELETED else None


@dataclass(frozen=True, slots=True)
class BackupHealth:
    """For the operator: running agents without a fresh good backup, and the store's own trouble.

    `newest` is when the last one of all was made.
    """

    late: Sequence[Agent]
    unsaved: Sequence[Agent]
    trouble: str
    newest: datetime | None


def backup_health(now: datetime) -> BackupHealth:
    """From the database alone, in a few queries however many agents there are."""
    since = now - LATE
    running = Agent.objects.filter(
        phase=AgentPhase.RUNNING, wanted=Agent.Wanted.RUNNING, running_since__lt=since
    )
    fresh = Backup.objects.filter(state=BackupState.KEPT, made_at__gte=since)
    stuck = Agent.objects.filter(wanted=Agent.Wanted.DELETED, reason="final_backup_failed")
    stuck = stuck.exclude(phase__in=(AgentPhase.DELETING, AgentPhase.DELETED))
    round_row = BackupRound.objects.first()
    return BackupHealth(
        late=list(running.exclude(pk__in=fresh.values("agent")).select_related("owner")),
        unsaved=list(stuck.select_related("owner")),
        trouble=round_row.reason_detail if round_row else "",
        newest=Backup.objects.aggregate(newest=Max("made_at"))["newest"],
    )


def _last_kept_pk(agent: Agent) -> int:
    last = agent.backups.filter(state=BackupState.KEPT).order_by("pk").last()
    return last.pk if last else 0
