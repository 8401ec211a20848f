"""What was agreed before a machine was to change, and where a machine was placed and why."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from farm.agents.models.agents import Agent
from farm.agents.models.operations import Operation
from farm.agents.models.servers import Server


class Change(models.Model):
    """What holds again for an agent if the change of its machine that it waits for fails.

    One for each agent at most: there while the change is neither fulfilled nor given up. `plan`,
    `region` and `agreed_*` are those from before the wish.
    """

    agent = models.OneToOneField(Agent, on_delete=models.CASCADE, related_name="change")
    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="+")
    plan = models.CharField(max_length=40)
    region = models.CharField(max_length=40)
    agreed_hourly_micros = models.BigIntegerField()
    agreed_monthly_micros = models.BigIntegerField()
    agreed_currency = models.CharField(max_length=3)

    def __str__(self) -> str:
        return f"change of {self.agent}"


class PlacingReason(models.TextChoices):
    """Why a machine was placed where it is, or why not there."""

    FIRST = "first", _("first choice")
    NEXT = "next", _("next choice")
    SOLD_OUT = "sold_out", _("sold out")
    FULL = "full", _("the farm's account there is full")
    DEARER = "dearer", _("dearer than agreed")
    FAILED = "failed", _("a machine did not come up there")


class Placing(models.Model):
    """Where a machine was placed, and of what its cloud's list said at that moment.

    `passed` has a line of words for each rung above it on the ladder: provider, server type,
    location, and the `PlacingReason` for which it was not taken. `why` is FIRST, or NEXT. Its disk
    is that of `server_type`, which it was made as, whatever it became since.
    """

    server = models.OneToOneField(Server, on_delete=models.CASCADE, related_name="placing")
    plan = models.CharField(max_length=40)
    region = models.CharField(max_length=40)
    why = models.CharField(max_length=8, choices=PlacingReason.choices)
    passed = models.TextField(blank=True)
    server_type = models.CharField(max_length=40, blank=True)

    def __str__(self) -> str:
        return f"placing of {self.server}"
