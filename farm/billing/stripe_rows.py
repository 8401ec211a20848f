"""What Stripe told of, each event once, and how far the farm has read what it did not hear."""

from __future__ import annotations

from django.db import models

from farm.driven import Drivable


class StripeEvent(Drivable):
    """Something happened there to the thing `kind` `subject`; a worker looks what it is now.

    Events come twice and in any order: the row says once that there is something to look at, and
    `state` what was found, "gone" for nothing. `owner` is whose the thing is, where it is known
    only as somebody's. `fetched`: no webhook brought it. `trouble` is why it still waits.
    """

    uid = models.CharField(max_length=255, unique=True)
    type = models.CharField(max_length=80)
    happened_at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=255)
    owner = models.CharField(max_length=255, blank=True)
    came_at = models.DateTimeField()
    fetched = models.BooleanField()
    state = models.CharField(max_length=40, blank=True)
    worked_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.type} {self.uid}"


class StripeRound(Drivable):
    """The farm's one reader of what never arrived; all that happened until `read_to` is here."""

    read_to = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"Stripe's events, read to {self.read_to}"
