"""The clouds as they last showed themselves, and the keys that machines know the farm by."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from farm.fields import SecretField


class Offer(models.Model):
    """A server type at a place as its cloud last showed it: price, availability, size.

    Its disk, of `disk_gb`, costs nothing of its own (0) where the cloud does not sell it apart. A
    copy's price is that of 1,000 GB (`copy_terabyte_*`), and None for an hour while it is not
    known.
    """

    provider = models.CharField(max_length=20)
    server_type = models.CharField(max_length=40)
    location = models.CharField(max_length=20)
    available = models.BooleanField()
    hourly_micros = models.BigIntegerField()
    monthly_micros = models.BigIntegerField(null=True)
    ipv4_hourly_micros = models.BigIntegerField()
    ipv4_monthly_micros = models.BigIntegerField(null=True)
    volume_hourly_micros = models.BigIntegerField(default=0)
    volume_monthly_micros = models.BigIntegerField(null=True, default=0)
    copy_terabyte_hourly_micros = models.BigIntegerField(null=True)
    copy_terabyte_monthly_micros = models.BigIntegerField(null=True)
    disk_gb = models.PositiveIntegerField(default=0)
    currency = models.CharField(max_length=3)
    seen_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["provider", "server_type", "location"], name="one_offer_per_place"
            )
        ]

    def __str__(self) -> str:
        return f"{self.server_type} at {self.provider} {self.location}"


class FarmKey(models.Model):
    """A key pair of the farm's SSH certificate authority; two may overlap while one rotates."""

    created_at = models.DateTimeField()
    private_key = SecretField()
    public_key = models.TextField()
    retired_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"CA of {self.created_at:%F}"


class WorkerBeat(models.Model):
    """A worker that was alive at `at`; the doctor reads it."""

    worker = models.CharField(max_length=80, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.worker} at {self.at:%F %T}"
