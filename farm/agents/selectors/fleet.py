"""What the operator asks: is anything stuck, paused, or ours without a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from farm.agents.models import (
    Agent,
    Message,
    ProviderProject,
    Server,
    TelegramLink,
    WorkerBeat,
)
from farm.agents.sentences import Sentence, sentence_for


@dataclass(frozen=True, slots=True)
class Pause:
    """A cloud that nothing is asked of until `until`, or whose last trouble is still unsolved."""

    provider: str
    code: str
    sentence: Sentence
    detail: str
    until: datetime | None


def provider_pauses() -> Sequence[Pause]:
    """Clouds with a trouble that only the operator can mend."""
    return [
        Pause(
            row.provider, row.reason, sentence_for(row.reason), row.reason_detail, row.paused_until
        )
        for row in ProviderProject.objects.exclude(reason="")
    ]


def orphans() -> Sequence[str]:
    """Names of machines at the clouds that carry this farm's label and have no row."""
    rows = ProviderProject.objects.exclude(orphans="")
    return [name for row in rows for name in row.orphans.split()]


def due_rows(now: datetime) -> int:
    """How many rows a worker should be driving at this moment and none has claimed."""
    due = Q(due_at__lte=now) & (Q(lease_until__isnull=True) | Q(lease_until__lt=now))
    return sum(
        model.objects.filter(due).count()
        for model in (Agent, Server, Message, TelegramLink, ProviderProject)
    )


def last_beat() -> datetime | None:
    """When a worker last said that it lives; None if none ever did."""
    newest = WorkerBeat.objects.order_by("-at").first()
    return newest.at if newest else None
