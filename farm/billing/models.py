"""The ledger's seed: what each server costs, by dated rows that nobody rewrites."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Kind(models.TextChoices):
    """What a price is for; each is a line of its own."""

    SERVER = "server", "server"
    IPV4 = "ipv4", "IPv4 address"


class PriceRow(models.Model):
    """What one kind costs for one server from a date on, net, in micro-units of `currency`.

    Pinned when the server is asked for: today's catalogue never re-prices a server that exists.
    A server is known by its uid, without a foreign key, and the row outlives it.
    """

    server_uid = models.CharField(max_length=12)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    valid_from = models.DateTimeField()
    hourly_micros = models.BigIntegerField()
    monthly_micros = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["server_uid", "kind", "valid_from"], name="one_price_per_date"
            )
        ]

    def __str__(self) -> str:
        return f"{self.server_uid} {self.kind}: {self.hourly_micros}/h from {self.valid_from:%F}"
