"""Copies of disks, kept at a cloud while their agents sleep."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import new_uid
from farm.agents.models.agents import Agent
from farm.agents.models.projects import ProviderProject
from farm.agents.models.rows import Drivable
from farm.agents.models.servers import Server


class CopyPhase(models.TextChoices):
    """Where a copy of a disk is on its way."""

    MAKING = "making", _("being made")
    READY = "ready", _("ready")
    LEAVING = "leaving", _("being removed")
    GONE = "gone", _("gone")


class DiskCopy(Drivable):
    """A copy of a sleeping machine's disk at its cloud, which is charged for until it is gone.

    The row is written before it is ordered; its uid is on the copy as a label, so that no other is
    taken for it. `gigabytes` is what it is charged by, `disk_gb` the smallest disk it boots from;
    `created_at` is the cloud's own. It is `wanted_gone` once its agent was woken, or will not be.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    server = models.ForeignKey(Server, on_delete=models.PROTECT, related_name="copies")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="copies")
    provider = models.CharField(max_length=20)
    project = models.ForeignKey(
        ProviderProject, null=True, on_delete=models.PROTECT, related_name="copies"
    )
    location = models.CharField(max_length=20, blank=True)
    asked_at = models.DateTimeField()
    wanted_gone = models.BooleanField(default=False)

    phase = models.CharField(max_length=8, choices=CopyPhase.choices, default=CopyPhase.MAKING)
    phase_since = models.DateTimeField()
    reason = models.CharField(max_length=40, blank=True)
    reason_detail = models.CharField(max_length=500, blank=True)
    cloud_id = models.CharField(max_length=80, blank=True)
    image = models.CharField(max_length=80, blank=True)
    gigabytes = models.FloatField(null=True)
    disk_gb = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True)
    metered = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"farm-copy-{self.uid}"
