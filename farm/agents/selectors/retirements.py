"""What a cloud will stop selling soon, of what this farm uses or has on sale."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from farm.agents.models import Retirement

SOON = timedelta(days=180)


def retirements_soon(now: datetime) -> Sequence[Retirement]:
    """The earliest first; what is further away than half a year can wait."""
    return list(Retirement.objects.filter(ends_at__lt=now + SOON).order_by("ends_at", "pk"))
