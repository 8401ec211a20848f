"""What every row that a worker drives has in common."""

from __future__ import annotations

from django.db import models


class Drivable(models.Model):
    """A row that a worker drives: when it is due, who holds it, how often it tried."""

    due_at = models.DateTimeField(null=True, db_index=True)
    lease_token = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True
