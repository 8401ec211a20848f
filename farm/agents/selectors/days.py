"""A month day by day: of a payer, of a member's own agents; and an agent's every hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet

from farm.accounts.models import Account, User
from farm.agents.models import Agent
from farm.agents.selectors.choices import SANDBOX_PROVIDER
from farm.agents.selectors.months import open_lines
from farm.billing.ai_rows import AiDay
from farm.billing.days import DayCost, days_of
from farm.billing.models import Payer, UsageLine
from farm.billing.rule import month_of, next_month
from farm.billing.statements import ai_days, month_before


@dataclass(frozen=True, slots=True)
class MonthOfDays:
    """A month's days with a cost, and the months before and after it that have one."""

    month: date
    days: Sequence[DayCost]
    before: date | None
    after: date | None


def payer_days(payer: Payer, month: date, now: datetime) -> MonthOfDays:
    """What the payer is charged day by day; of the month under way, begun hours are in it."""
    more = [
        line
        for line in _begun(payer.account, month, now)
        if line.payer_id == payer.pk and line.month == month
    ]
    days = days_of(payer.lines.filter(month=month), ai_days(payer, month), more)
    ai = AiDay.objects.filter(payer_uid=payer.uid)
    return _beside(month, days, payer.lines.all(), ai, now)


def member_days(member: User, account: Account, month: date, now: datetime) -> MonthOfDays:
    """What the member's own agents of the account cost day by day, whoever pays."""
    uids = list(Agent.objects.filter(owner=member, account=account).values_list("uid", flat=True))
    more = [
        line
        for line in _begun(account, month, now)
        if line.agent_uid in uids and line.month == month
    ]
    lines = UsageLine.objects.filter(agent_uid__in=uids)
    ai = AiDay.objects.filter(agent_uid__in=uids)
    shown = ai.filter(day__gte=month, day__lt=next_month(month))
    return _beside(month, days_of(lines.filter(month=month), shown, more), lines, ai, now)


def agent_lines(agent: Agent, month: date) -> QuerySet[UsageLine]:
    """Every hour of the agent's machines in that month, whoever bears it."""
    lines = UsageLine.objects.filter(agent_uid=agent.uid, month=month)
    return lines.order_by("began_at", "server_uid", "kind")


def on_own_keys(account: Account) -> int:
    """How many of the account's agents think with a key of their people's own."""
    there = Agent.objects.filter(account=account, deleted_at=None, shared_key=None)
    return there.exclude(model_provider=SANDBOX_PROVIDER).count()


def _begun(account: Account, month: date, now: datetime) -> Sequence[UsageLine]:
    return open_lines(account, now) if month >= month_before(month_of(now)) else ()


def _beside(
    month: date,
    days: Sequence[DayCost],
    lines: QuerySet[UsageLine],
    ai: QuerySet[AiDay],
    now: datetime,
) -> MonthOfDays:
    """With the nearest months that have something; the one under way always has."""
    earlier = [
        lines.filter(month__lt=month).order_by("-month").values_list("month", flat=True).first(),
        ai.filter(day__lt=month).order_by("-day").values_list("day", flat=True).first(),
    ]
    later = [
        lines.filter(month__gt=month).order_by("month").values_list("month", flat=True).first(),
        ai.filter(day__gte=next_month(month)).order_by("day").values_list("day", flat=True).first(),
        month_of(now) if month < month_of(now) else None,
    ]
    before = max((day.replace(day=1) for day in earlier if day), default=None)
    after = min((day.replace(day=1) for day in later if day), default=None)
    return MonthOfDays(month, days, before, after)
