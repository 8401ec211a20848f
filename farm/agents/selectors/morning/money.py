"""What the farm costs: yesterday, this month and by its end, machines and AI apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Sum

from farm.agents.clouds import OFF_IS_FREE
from farm.agents.models import DiskCopy, Server, ServerPhase
from farm.billing.ai_rows import AiDay
from farm.billing.clouds import cloud_cost
from farm.billing.forecasts import to_come
from farm.billing.models import UsageLine
from farm.billing.rule import month_of, next_month

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Spent:
    """Net micro-units: machines exact, AI through the relay."""

    machines: int
    ai: int

    @property
    def total(self) -> int:
        """Both."""
        return self.machines + self.ai


@dataclass(frozen=True, slots=True)
class Money:
    """Of all written lines. `charged_on` is the payers' part of this month's machines.

    `forecast` has every machine that is there go on until the month ends, capped as it is, and AI
    go on as on its days so far. `difference` is between what payers are charged and what the clouds
    charge: the farm's own cost.
    """

    yesterday: Spent
    month: Spent
    forecast: Spent
    charged_on: int
    difference: int


def money_at(now: datetime) -> Money:
    """From the database, in a few queries."""
    month = month_of(now)
    clouds = cloud_cost(month)
    so_far = Spent(clouds.cloud, _ai(month, now.date()))
    return Money(
        yesterday=_yesterday(now),
        month=so_far,
        forecast=_forecast(so_far, month, now),
        charged_on=clouds.charged,
        difference=clouds.difference,
    )


def _yesterday(now: datetime) -> Spent:
    today = datetime.combine(now.astimezone(UTC).date(), time(), tzinfo=UTC)
    began = today - timedelta(days=1)
    lines = UsageLine.objects.filter(began_at__gte=began, began_at__lt=today)
    machines = lines.aggregate(sum=Sum("cloud_micros"))["sum"] or 0
    return Spent(machines, _ai(began.date(), began.date()))


def _ai(first: date, last: date) -> int:
    days = AiDay.objects.filter(day__gte=first, day__lte=last)
    return days.aggregate(sum=Sum("cost_micros"))["sum"] or 0


def _forecast(so_far: Spent, month: date, now: datetime) -> Spent:
    end = datetime.combine(next_month(month), time(), tzinfo=UTC)
    hours = (end - now) // HOUR
    days = (now.date() - month).days + 1
    whole = (end.date() - month).days
    coming = _machines_to_come(month, hours)
    return Spent(so_far.machines + coming, so_far.ai * whole // days)


def _machines_to_come(month: date, hours: int) -> int:
    """Every machine and copy that is there for that many hours more, asleep if it is asleep."""
    there = Server.objects.exclude(phase__in=(ServerPhase.GONE, ServerPhase.LOST))
    made = there.filter(created_at__isnull=False).values_list("uid", "provider", "phase")
    off = {uid for uid, cloud, phase in made if cloud in OFF_IS_FREE and phase == ServerPhase.OFF}
    kept = DiskCopy.objects.filter(gone_at=None).values_list("uid", flat=True)
    return to_come([*(uid for uid, _, _ in made), *kept], off, month, hours)
