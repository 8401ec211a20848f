"""Django's entry for this room."""

from django.apps import AppConfig


class OpsConfig(AppConfig):
    """farm.ops."""

    name = "farm.ops"
    label = "ops"
