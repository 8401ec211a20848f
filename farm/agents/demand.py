"""How many machines a pool is to keep ready at a moment: by number, by the clock, by demand."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from farm.agents.models import Pool, Server

LOOKED_BACK = timedelta(days=3)


def wanted_now(pool: Pool, now: datetime) -> int:
    """The number in its hours, and with demand followed at least what one hour of late took."""
    fixed = pool.size if is_open(pool, now) else 0
    if not pool.follow_demand:
        return fixed
    return max(fixed, min(busiest_hour(pool, now), pool.at_most))


def is_open(pool: Pool, now: datetime) -> bool:
    """Whether the moment is in its hours, by UTC; hours past midnight are of the day they began."""
    day, hour = now.weekday(), now.hour
    begin, end = pool.from_hour, pool.to_hour
    if begin == end:
        return str(day) in pool.days
    if begin < end:
        return str(day) in pool.days and begin <= hour < end
    began = day if hour >= begin else (day - 1) % 7
    return str(began) in pool.days and (hour >= begin or hour < end)


def open_hours(pool: Pool) -> int:
    """Of the 168 hours of a week, those in which the number is kept."""
    daily = (pool.to_hour - pool.from_hour) % 24 or 24
    return daily * len(pool.days)


def busiest_hour(pool: Pool, now: datetime) -> int:
    """How many agents of that plan and region got a machine in the busiest of the last hours."""
    joined = Server.objects.filter(
        agent__plan=pool.plan, agent__region=pool.region, joined_at__gt=now - LOOKED_BACK
    )
    hours = Counter(
        moment.replace(minute=0, second=0, microsecond=0)
        for moment in joined.values_list("joined_at", flat=True)
        if moment
    )
    return max(hours.values(), default=0)
