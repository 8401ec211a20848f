"""The pools as the operator looks at them: what is ready, what is on its way, what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from farm.agents.demand import open_hours, wanted_now
from farm.agents.models import Pool, PooledServer, Server
from farm.agents.projects import AT_AN_END

WEEK = 168
MONTH = 730


@dataclass(frozen=True, slots=True)
class PoolView:
    """One pool: `wanted` machines now, `ready` to be claimed, `coming` on their way.

    Net micro-units of `currency`: an hour of one, an hour of all that are wanted now, and a month
    of the number that is set, in its hours. `claimed` are those of the last thirty days.
    """

    plan: str
    region: str
    size: int
    from_hour: int
    to_hour: int
    days: str
    follow_demand: bool
    at_most: int
    wanted: int
    ready: int
    coming: int
    claimed: int
    each_hourly_micros: int
    hourly_micros: int
    monthly_micros: int
    currency: str
    reason: str


def pools(now: datetime) -> Sequence[PoolView]:
    """Every pool that was ever set, those that want none last."""
    views = [pool_view(pool, now) for pool in Pool.objects.order_by("plan", "region")]
    return sorted(views, key=lambda view: not (view.size or view.follow_demand))


def pools_in_use(now: datetime) -> Sequence[PoolView]:
    """Those that keep machines ready, at some hour at least."""
    return [view for view in pools(now) if view.size or view.follow_demand]


def pool_view(pool: Pool, now: datetime) -> PoolView:
    """How it stands."""
    free = Server.objects.filter(pooled__pool=pool, agent=None, wanted_gone=False)
    there = free.exclude(phase__in=AT_AN_END)
    ready = there.filter(warmed_at__isnull=False, distrusted_at=None).count()
    wanted = wanted_now(pool, now)
    lately = Q(claimed_at__gt=now - timedelta(days=30))
    return PoolView(
        plan=pool.plan,
        region=pool.region,
        size=pool.size,
        from_hour=pool.from_hour,
        to_hour=pool.to_hour,
        days=pool.days,
        follow_demand=pool.follow_demand,
        at_most=pool.at_most,
        wanted=wanted,
        ready=ready,
        coming=there.count() - ready,
        claimed=PooledServer.objects.filter(lately, pool=pool).count(),
        each_hourly_micros=pool.agreed_hourly_micros,
        hourly_micros=pool.agreed_hourly_micros * wanted,
        monthly_micros=monthly_cost(pool),
        currency=pool.agreed_currency,
        reason=pool.reason,
    )


def monthly_cost(pool: Pool) -> int:
    """What the fixed number costs in a month at the most: its hours, or the monthly price."""
    each = pool.agreed_hourly_micros * MONTH * open_hours(pool) // WEEK
    return pool.size * min(each, pool.agreed_monthly_micros)
