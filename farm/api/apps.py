"""Django's entry for this room."""

from importlib import import_module

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """farm.api."""

    name = "farm.api"
    label = "api"

    def ready(self) -> None:
        """Spectacular knows of an extension once its module is loaded."""
        import_module("farm.api.schema")
