"""The meter that writes what machines cost."""

from __future__ import annotations

from django.db import models

from farm.agents.models.rows import Drivable


class Meter(Drivable):
    """The farm's one meter: when it last ran, and how many hours it looked at then."""

    ran_at = models.DateTimeField(null=True)
    hours = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"meter, last run {self.ran_at}"
