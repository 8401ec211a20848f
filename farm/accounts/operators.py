"""Who runs the farm."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from farm.accounts.models import User


def operators() -> QuerySet[User]:
    """Everyone who answers for the whole farm; nobody on a laptop that was never set up."""
    return User.objects.filter(is_superuser=True, is_active=True).order_by("pk")


def operators_name() -> str:
    """What people call whoever runs the farm; "the operator" where nobody was named."""
    first = operators().first()
    return (first.display_name or first.email) if first else _("the operator")
