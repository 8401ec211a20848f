"""Django's entry for this room."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BillingConfig(AppConfig):
    """farm.billing."""

    name = "farm.billing"
    label = "billing"

    def ready(self) -> None:
        """Have every database guard its lines once their table is there."""
        guard = import_module("farm.billing.append_only").guard_lines
        post_migrate.connect(guard, sender=self, dispatch_uid="guard_lines")
