"""Images of machines that hold the runtime, and what a cloud will stop selling."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import new_uid
from farm.agents.models.projects import ProviderProject


class ServerImage(models.Model):
    """An image at a cloud, from before it is baked to after it is ended; only a good one is used.

    Its uid is on the image as a label. `location` is where it boots, "" for everywhere in its
    project. Whoever bakes it holds it until `held_until`, and longer while alive; what is neither
    good nor held was left by somebody who died.
    """

    class State(models.TextChoices):
        """How far it is."""

        BAKING = "baking", _("being baked")
        TRYING = "trying", _("being tried")
        GOOD = "good", _("in use")
        ENDING = "ending", _("being removed")

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    project = models.ForeignKey(ProviderProject, on_delete=models.CASCADE, related_name="images")
    location = models.CharField(max_length=20, blank=True)
    runtime_version = models.CharField(max_length=20)
    node_version = models.CharField(max_length=20)
    state = models.CharField(max_length=8, choices=State.choices, default=State.BAKING)
    asked_at = models.DateTimeField()
    held_until = models.DateTimeField()
    good_at = models.DateTimeField(null=True)
    image = models.CharField(max_length=80, blank=True)
    gigabytes = models.FloatField(null=True)
    hourly_micros = models.BigIntegerField(default=0)
    monthly_micros = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)

    def __str__(self) -> str:
        where = f"{self.project} {self.location}".rstrip()
        return f"image {self.uid} of OpenClaw {self.runtime_version} at {where}"

    def is_abandoned(self, now: datetime) -> bool:
        """Whether whoever baked it is dead."""
        return self.state in (self.State.BAKING, self.State.TRYING) and self.held_until < now


class Retirement(models.Model):
    """What a cloud stops selling at `ends_at`, and this farm uses or has on sale.

    `location` is "" where it ends everywhere; the operator was written to at `told_at`.
    """

    class Kind(models.TextChoices):
        """What it is."""

        SERVER_TYPE = "server_type", _("server type")
        OS_IMAGE = "os_image", _("operating system")

    provider = models.CharField(max_length=20)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    name = models.CharField(max_length=80)
    location = models.CharField(max_length=20, blank=True)
    ends_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["provider", "kind", "name", "location"], name="one_retirement_each"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} at {self.provider} {self.location}".rstrip()
