"""Projects at clouds: what opens each, how many requests it takes, and whose machines it has."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from farm.accounts.models import Account
from farm.agents.models.rows import Drivable
from farm.fields import SecretField

MAIN = "main"


class ProviderProject(Drivable):
    """One project at a cloud, surveyed now and then: what it sells, and what it has of ours.

    The one named `main` is opened by the farm's settings, any other by what its row holds: `token`
    (at Scaleway the secret key), `access_key` and `cloud_project`, its id there. While it is `held`
    no new machine is made in it. A 429 pauses it for everyone until `paused_until`, and so does
    what only the operator mends; then `reason` says what, and stays until a call of that sort
    succeeds again. `pointed_at` is since when this row means this project and no other, by its
    `fingerprint`.
    """

    provider = models.CharField(max_length=20)
    name = models.CharField(max_length=40, default=MAIN)
    token = SecretField(blank=True)
    access_key = models.CharField(max_length=40, blank=True)
    cloud_project = models.CharField(max_length=40, blank=True)
    held = models.BooleanField(default=False)
    paused_until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=40, blank=True)
    reason_detail = models.CharField(max_length=500, blank=True)
    offers_seen_at = models.DateTimeField(null=True)
    swept_at = models.DateTimeField(null=True)
    fingerprint = models.CharField(max_length=16, blank=True)
    pointed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["provider", "name"], name="one_project_of_a_name")
        ]

    def __str__(self) -> str:
        return self.provider if self.name == MAIN else f"{self.provider}/{self.name}"


class RequestBudget(models.Model):
    """The requests that a project takes, shared by all workers; moments in microseconds of UTC.

    A full bucket has `limit` requests, and gets one more every `each_us`; `full_at_us` is when none
    is missing. `reserve` of them are for what members wait for. Until `closed_until_us` the
    cloud takes none. `asked` counts every request since the row was made.
    """

    project = models.OneToOneField(ProviderProject, on_delete=models.CASCADE, related_name="budget")
    limit = models.PositiveIntegerField()
    each_us = models.BigIntegerField()
    reserve = models.PositiveIntegerField()
    full_at_us = models.BigIntegerField(default=0)
    closed_until_us = models.BigIntegerField(default=0)
    asked = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.limit} requests of {self.project_id}"


class AccountProject(models.Model):
    """In which project of a cloud an account's new machines are made, while there is room."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="projects")
    provider = models.CharField(max_length=20)
    project = models.ForeignKey(ProviderProject, on_delete=models.CASCADE, related_name="accounts")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "provider"], name="one_project_at_a_cloud")
        ]

    def __str__(self) -> str:
        return f"{self.account} in {self.project}"
