"""Whether an agent answers, looked at again and again while it runs."""

from __future__ import annotations

from django.db import models

from farm.agents.models.agents import Agent
from farm.agents.models.rows import Drivable


class Watch(Drivable):
    """How an agent was seen last. The fields from `silent_since` on are of the present silence.

    `told_at` is when its owner and the operator were told of it: once for each silence.
    """

    agent = models.OneToOneField(Agent, on_delete=models.CASCADE, related_name="watch")
    looked_at = models.DateTimeField(null=True)
    silent_since = models.DateTimeField(null=True)
    why = models.CharField(max_length=300, blank=True)
    restarts = models.PositiveIntegerField(default=0)
    last_restart_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"watch over {self.agent}"
