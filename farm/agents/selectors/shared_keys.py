"""Which model keys an account shares."""

from __future__ import annotations

from django.db.models import QuerySet

from farm.accounts.models import Account
from farm.agents.models import SharedKey


def shared_keys_of(account: Account) -> QuerySet[SharedKey]:
    """Those that may be used, the oldest first; none for an account that is not made yet."""
    return SharedKey.objects.filter(account_id=account.pk, revoked_at=None).order_by("pk")
