"""What became of the farm's backups of itself, and of the drills that try to restore one."""

from __future__ import annotations

from django.db import models


class RescueKind(models.TextChoices):
    """A backup was made, or a restore was tried in a place of its own."""

    BACKUP = "backup", "backup"
    DRILL = "drill", "restore drill"


class Rescue(models.Model):
    """One try. `problem` says why it failed, "" if it did not; `rows` is what was counted.

    `archive` is the file's name, "" for a drill that could not open a sealed one and made its own.
    """

    kind = models.CharField(max_length=8, choices=RescueKind)
    at = models.DateTimeField(db_index=True)
    archive = models.CharField(max_length=80, blank=True)
    size = models.BigIntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    problem = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} of {self.at:%F %H:%M}"
