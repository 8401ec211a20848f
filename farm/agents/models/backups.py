"""What is kept of an agent beside its machine, and the keys that it is sealed to."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Account, new_uid
from farm.agents.models.agents import Agent
from farm.agents.models.rows import Drivable
from farm.fields import SecretField


class BackupKey(models.Model):
    """An account's key pair: machines seal to `public`, the farm opens with `private`."""

    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="backup_key")
    created_at = models.DateTimeField()
    public = models.CharField(max_length=80)
    private = SecretField()

    def __str__(self) -> str:
        return f"backup key of {self.account}"


class BackupKind(models.TextChoices):
    """Why a backup was made."""

    NIGHTLY = "nightly", _("nightly")
    DEMAND = "demand", _("on demand")
    SAFETY = "safety", _("before a restore")
    SLEEP = "sleep", _("before its sleep")
    MOVE = "move", _("before a move to another machine")
    FINAL = "final", _("before its deletion")


class BackupState(models.TextChoices):
    """How a backup stands; one that is being removed counts as gone."""

    ASKED = "asked", _("waiting")
    MAKING = "making", _("being made")
    KEPT = "kept", _("kept")
    FAILED = "failed", _("failed")
    REMOVING = "removing", _("being removed")
    REMOVED = "removed", _("removed")


class Backup(Drivable):
    """One backup of an agent, from the wish until it is removed.

    `place` is its name in the store, written before anything is put there, so that a crash leaves
    no object that nobody knows. `size` in bytes and `sha256` are of what is kept, which is sealed
    to `key`.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="backups")
    kind = models.CharField(max_length=8, choices=BackupKind.choices)
    state = models.CharField(max_length=8, choices=BackupState.choices, default=BackupState.ASKED)
    asked_at = models.DateTimeField()
    key = models.ForeignKey(BackupKey, on_delete=models.PROTECT, related_name="+")
    store = models.CharField(max_length=8, blank=True)
    place = models.CharField(max_length=120, blank=True)
    size = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    runtime_version = models.CharField(max_length=20, blank=True)
    made_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=40, blank=True)
    reason_detail = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.kind} backup {self.uid} of {self.agent}"


class BackupRound(Drivable):
    """The one row that has nights' backups asked for and lost objects swept.

    `reason` and `reason_detail` say why the store could not be looked through the last time.
    """

    swept_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=40, blank=True)
    reason_detail = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return "round of backups"
