"""What agents spent on AI through the relay: by agent, person, payer and month; in micro-euros."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet, Sum

from farm.billing.ai_rows import AiDay, AiMonth
from farm.billing.rule import month_of


@dataclass(frozen=True, slots=True)
class AiLine:
    """One agent's AI of one month for one payer, person and cost centre.

    Of `micros`, `unseen_micros` is what `unseen_calls`, cut off before their usage was known, may
    have cost at most.
    """

    agent_uid: str
    agent_name: str
    person_email: str
    cost_centre: str
    calls: int
    micros: int
    unseen_calls: int
    unseen_micros: int


@dataclass(frozen=True, slots=True)
class AiMonthSpent:
    """What an agent has spent of this month's budget, and what is set aside for calls under way."""

    spent_micros: int = 0
    reserved_micros: int = 0


def ai_lines(payer_uids: Iterable[str], month: date) -> Sequence[AiLine]:
    """A payer's lines of a month (named by any day in it), by person, then by agent."""
    days = _in_month(month).filter(payer_uid__in=list(payer_uids))
    grouped = days.values("agent_uid", "agent_name", "person_email", "cost_centre").annotate(
        calls_sum=Sum("calls"),
        micros_sum=Sum("cost_micros"),
        unseen_calls_sum=Sum("unseen_calls"),
        unseen_micros_sum=Sum("unseen_micros"),
    )
    return [
        AiLine(
            agent_uid=row["agent_uid"],
            agent_name=row["agent_name"],
            person_email=row["person_email"],
            cost_centre=row["cost_centre"],
            calls=row["calls_sum"],
            micros=row["micros_sum"],
            unseen_calls=row["unseen_calls_sum"],
            unseen_micros=row["unseen_micros_sum"],
        )
        for row in grouped.order_by("person_email", "agent_name", "agent_uid")
    ]


def ai_days_of(agent_uid: str, month: date) -> QuerySet[AiDay]:
    """An agent's rows of a month, oldest first."""
    return _in_month(month).filter(agent_uid=agent_uid).order_by("day", "model")


def ai_spent_by(agent_uids: Iterable[str], month: date) -> Mapping[str, int]:
    """Micro-euros by agent in a month; an agent without a call is not in it."""
    days = _in_month(month).filter(agent_uid__in=list(agent_uids))
    sums = days.values("agent_uid").annotate(micros=Sum("cost_micros"))
    return {row["agent_uid"]: row["micros"] for row in sums}


def ai_month(agent_uid: str, at: datetime) -> AiMonthSpent:
    """How the budget of the month around `at` stands."""
    row = AiMonth.objects.filter(agent_uid=agent_uid, month=month_of(at)).first()
    return AiMonthSpent(row.spent_micros, row.reserved_micros) if row else AiMonthSpent()


def ai_used_up(agent_uid: str, budget_micros: int, at: datetime) -> bool:
    """Whether the agent has told that this budget is used up this month, or it is."""
    row = AiMonth.objects.filter(agent_uid=agent_uid, month=month_of(at)).first()
    if row is None:
        return False
    return row.told_budget_micros == budget_micros or row.spent_micros >= budget_micros


def _in_month(month: date) -> QuerySet[AiDay]:
    return AiDay.objects.filter(day__year=month.year, day__month=month.month)
