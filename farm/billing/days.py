"""What each agent cost on each day: the sums that a chart is drawn from, in two queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date

from django.db.models import Max, QuerySet, Sum
from django.db.models.functions import TruncDate

from farm.billing.ai_rows import AiDay
from farm.billing.models import UsageLine


@dataclass(frozen=True, slots=True)
class DayCost:
    """What one agent cost payers on one day of UTC, net micro-units."""

    day: date
    agent_uid: str
    agent_name: str
    machine: int
    ai: int

    @property
    def total(self) -> int:
        """Both."""
        return self.machine + self.ai


@dataclass(slots=True)
class _Sums:
    name: str = ""
    machine: int = 0
    ai: int = 0


def days_of(
    lines: QuerySet[UsageLine], ai: QuerySet[AiDay], more: Iterable[UsageLine] = ()
) -> Sequence[DayCost]:
    """By day and agent, the earliest first; `more` are lines that are not yet written."""
    sums: defaultdict[tuple[date, str], _Sums] = defaultdict(_Sums)
    dated = lines.order_by().annotate(day=TruncDate("began_at", tzinfo=UTC))
    for day, uid, name, micros in dated.values_list("day", "agent_uid").annotate(
        name=Max("agent_name"), sum=Sum("micros")
    ):
        _add(sums[day, uid], name, machine=micros)
    for line in more:
        day = line.began_at.astimezone(UTC).date()
        _add(sums[day, line.agent_uid], line.agent_name, machine=line.micros)
    for day, uid, name, micros in (
        ai.order_by()
        .values_list("day", "agent_uid")
        .annotate(name=Max("agent_name"), sum=Sum("cost_micros"))
    ):
        _add(sums[day, uid], name, ai=micros)
    return [
        DayCost(day, uid, found.name, found.machine, found.ai)
        for (day, uid), found in sorted(sums.items())
    ]


def _add(sums: _Sums, name: str, *, machine: int = 0, ai: int = 0) -> None:
    sums.name = sums.name or name
    sums.machine += machine
    sums.ai += ai
