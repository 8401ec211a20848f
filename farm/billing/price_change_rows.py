"""Changes of a cloud's prices that are also for what exists already, told before they apply."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class PriceChange(models.Model):
    """From `valid_from` on a server type, or its address, costs that at a place, net.

    An operator whom the cloud told announces it. Whoever it is for is told at `told_at`; what is
    there then is charged by it from the first run of the meter after its date, at `applied_at`.
    """

    provider = models.CharField(max_length=20)
    server_type = models.CharField(max_length=40)
    location = models.CharField(max_length=20)
    kind = models.CharField(max_length=8)
    valid_from = models.DateTimeField()
    hourly_micros = models.BigIntegerField()
    monthly_micros = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3)
    announced_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["provider", "server_type", "location", "kind", "valid_from"],
                name="one_change_per_date",
            )
        ]

    def __str__(self) -> str:
        return f"{self.server_type} at {self.provider} {self.location} from {self.valid_from:%F}"
