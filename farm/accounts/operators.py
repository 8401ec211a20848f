"""Who runs the farm."""

from __future__ import annotations

from django.db.models import QuerySet

from farm.accounts.models import User


def operators() -> QuerySet[User]:
    """Everyone who answers for the whole farm; nobody on a laptop that was never set up."""
    return User.objects.filter(is_superuser=True, is_active=True).order_by("pk")
