"""When an agent is to be awake, and when it was last used."""

from __future__ import annotations

from django.db import models

from farm.agents.models.agents import Agent
from farm.agents.models.rows import Drivable


class Schedule(Drivable):
    """The rules by which an agent falls asleep and wakes by itself; none unless somebody set them.

    `hours` are seven entries from Monday on with commas between them, such as "08:00-20:00", each
    "" for a day without, by the clock of `zone`; `quiet_days` are dates with spaces between them.
    `reason` is why the last change could not be made, "" once one was.
    """

    agent = models.OneToOneField(Agent, on_delete=models.CASCADE, related_name="schedule")
    zone = models.CharField(max_length=60, default="UTC")
    hours = models.CharField(max_length=100, blank=True)
    quiet_days = models.CharField(max_length=1200, blank=True)
    idle_hours = models.PositiveSmallIntegerField(null=True)
    keep_until = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()
    reason = models.CharField(max_length=40, blank=True)
    reason_detail = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"schedule of {self.agent}"


class LastUse(models.Model):
    """When somebody last had the agent's console open, and last talked to it elsewhere.

    `talked_at` is the word of its own program, seen when it was looked at.
    """

    agent = models.OneToOneField(Agent, on_delete=models.CASCADE, related_name="last_use")
    console_at = models.DateTimeField(null=True)
    talked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"last use of {self.agent}"
