"""Django's entry for this room."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """farm.api."""

    name = "farm.api"
    label = "api"
