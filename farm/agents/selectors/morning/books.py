"""What the clouds have of ours: machines in use, what is nobody's, and what is kept of agents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Sum

from farm.agents.models import (
    Backup,
    BackupState,
    Operation,
    OperationKind,
    OperationState,
    Orphan,
    ProviderProject,
    Server,
    ServerPhase,
)

QUOTA = "farm_full"


@dataclass(frozen=True, slots=True)
class Clouds:
    """Machines in use by cloud, those clouds that give no more, and what is nobody's.

    No cloud tells its limit in advance: `full` names those that refused the last one asked for.
    """

    in_use: Mapping[str, int]
    full: tuple[str, ...]
    orphans: int
    orphans_hourly_micros: int


@dataclass(frozen=True, slots=True)
class Kept:
    """How many agents have a backup, when the last one was made, and when one was last used."""

    agents: int
    last_at: datetime | None
    restored_at: datetime | None


def clouds_now() -> Clouds:
    """Counted in three queries."""
    there = Server.objects.exclude(phase__in=(ServerPhase.GONE, ServerPhase.LOST)).order_by()
    in_use: dict[str, int] = dict(there.values_list("provider").annotate(number=Count("pk")))
    full = ProviderProject.objects.filter(reason=QUOTA).values_list("provider", flat=True)
    strays = Orphan.objects.aggregate(number=Count("pk"), hourly=Sum("hourly_micros"))
    return Clouds(in_use, tuple(full), strays["number"], strays["hourly"] or 0)


def kept_now() -> Kept:
    """Counted in two queries."""
    kept = Backup.objects.filter(state=BackupState.KEPT)
    found = kept.aggregate(agents=Count("agent", distinct=True), last=Max("made_at"))
    restores = Operation.objects.filter(kind=OperationKind.RESTORE, state=OperationState.DONE)
    last_restore = restores.aggregate(last=Max("ended_at"))["last"]
    return Kept(found["agents"], found["last"], last_restore)
