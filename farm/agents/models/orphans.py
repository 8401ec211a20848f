"""What costs money at a cloud, carries this farm's label, and is nobody's."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from farm.agents.models.projects import ProviderProject


class OrphanKind(models.TextChoices):
    """What a cloud charges for, one by one."""

    SERVER = "server", _("machine")
    IPV4 = "ipv4", _("IPv4 address")
    VOLUME = "volume", _("disk")
    SNAPSHOT = "snapshot", _("image")


class Orphan(models.Model):
    """One thing at a cloud with our label and no row, from the first sweep that saw it on.

    `marked` says that it carries every label with which the farm makes such a thing: nothing else
    is ever removed by itself. The price is what its cloud asks for today.
    """

    provider = models.CharField(max_length=20)
    project = models.ForeignKey(
        ProviderProject, null=True, on_delete=models.CASCADE, related_name="orphans"
    )
    kind = models.CharField(max_length=8, choices=OrphanKind.choices)
    cloud_id = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    location = models.CharField(max_length=20, blank=True)
    marked = models.BooleanField()
    created_at = models.DateTimeField(null=True)
    hourly_micros = models.BigIntegerField()
    monthly_micros = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3)
    first_seen_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["provider", "kind", "location", "cloud_id"], name="one_orphan_each"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} at {self.provider} {self.location}".rstrip()
