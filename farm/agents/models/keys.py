"""Model keys that an account shares: they stay in the farm, behind the relay."""

from __future__ import annotations

from django.db import models

from farm.accounts.models import Account, new_uid
from farm.fields import SecretField


class SharedKey(models.Model):
    """A key to a model's provider that several agents use through the relay, never themselves.

    `payer_uid` is who pays what is used; `base_url` is for an OpenAI-compatible address, "" for a
    provider's own.
    """

    uid = models.CharField(max_length=12, unique=True, default=new_uid)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="shared_keys")
    payer_uid = models.CharField(max_length=12, blank=True)
    name = models.CharField(max_length=80)
    provider = models.CharField(max_length=20)
    model = models.CharField(max_length=80)
    base_url = models.CharField(max_length=200, blank=True)
    key = SecretField()
    monthly_micros = models.BigIntegerField()
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.provider})"
