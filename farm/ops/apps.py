"""Django's entry for this room."""

from importlib import import_module

from django.apps import AppConfig


class OpsConfig(AppConfig):
    """farm.ops."""

    name = "farm.ops"
    label = "ops"

    def ready(self) -> None:
        """Let Django know the farm's own system checks."""
        import_module("farm.checks")
