"""What happened in the night, in people's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max

from farm.agents.models import Event
from farm.agents.sentences import Sentence, sentence_for

NIGHT = timedelta(hours=12)
ROUTINE = frozenset(
    {
        "machine_requested",
        "machine_created",
        "machine_running",
        "runtime_installed",
        "host_key_rotated",
        "machine_ready",
        "configured",
        "started",
        "gate_passed",
        "machine_removed",
        "machine_gone",
    }
)
MOST_LINES = 12


@dataclass(frozen=True, slots=True)
class NightLine:
    """One sort of event: to how many agents it happened, to whom last, and when."""

    code: str
    sentence: Sentence
    agents: int
    name: str
    last_at: datetime


def night_before(now: datetime) -> Sequence[NightLine]:
    """The last twelve hours, the newest first; the steps of a usual creation are left out."""
    lately = Event.objects.filter(at__gt=now - NIGHT, at__lte=now).exclude(code__in=ROUTINE)
    sorts = (
        lately.order_by()
        .values("code")
        .annotate(agents=Count("agent", distinct=True), last_at=Max("at"), last=Max("pk"))
        .order_by("-last_at")[:MOST_LINES]
    )
    rows = list(sorts)
    last = Event.objects.select_related("agent").in_bulk([row["last"] for row in rows])
    return [
        NightLine(
            code=row["code"],
            sentence=sentence_for(row["code"]),
            agents=row["agents"],
            name=last[row["last"]].agent.name,
            last_at=row["last_at"],
        )
        for row in rows
    ]
