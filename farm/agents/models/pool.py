"""Machines kept ready for whoever asks next: how many of which, and how far each is."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from farm.agents.models.rows import Drivable
from farm.agents.models.servers import Server
from farm.fields import SecretField

EVERY_DAY = "0123456"


class Pool(Drivable):
    """How many machines of a plan and a region are kept ready, and when.

    `size` of them in the hours from `from_hour` to `to_hour` (the farm's time zone; the same twice:
    all day) of the `days` (0 is Monday); with `follow_demand` at least as many as the busiest such
    day of late had claims in an hour, up to `at_most`. None is bought for more than `agreed_*`.
    """

    plan = models.CharField(max_length=40)
    region = models.CharField(max_length=40)
    size = models.PositiveSmallIntegerField(default=0)
    from_hour = models.PositiveSmallIntegerField(default=0)
    to_hour = models.PositiveSmallIntegerField(default=0)
    days = models.CharField(max_length=7, default=EVERY_DAY)
    follow_demand = models.BooleanField(default=False)
    at_most = models.PositiveSmallIntegerField(default=0)
    agreed_hourly_micros = models.BigIntegerField(default=0)
    agreed_monthly_micros = models.BigIntegerField(default=0)
    agreed_currency = models.CharField(max_length=3, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    reason_detail = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["plan", "region"], name="one_pool_each")
        ]

    def __str__(self) -> str:
        return f"pool of {self.plan} in {self.region}"


class PooledServer(Drivable):
    """A machine that was made for a pool, from its request on; claimed, it tells where from.

    Its gateway is started with a config of nobody's, opened by `gateway_token`, which becomes that
    of the agent who claims it; `started_with` tells what can only be changed by another start.
    `spent_at` is when the agent's own first start, or what took its place, was over.
    """

    class Step(models.TextChoices):
        """How far the warming of its gateway is."""

        COLD = "cold", _("waiting for its machine")
        STARTED = "started", _("starting")
        TURNED = "turned", _("being warmed")
        WARM = "warm", _("ready")

    server = models.OneToOneField(Server, on_delete=models.CASCADE, related_name="pooled")
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="servers")
    step = models.CharField(max_length=8, choices=Step.choices, default=Step.COLD)
    step_since = models.DateTimeField()
    gateway_token = SecretField(blank=True)
    started_with = models.CharField(max_length=64, blank=True)
    runtime_version = models.CharField(max_length=20)
    claimed_at = models.DateTimeField(null=True)
    spent_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.server} of the {self.pool}"
