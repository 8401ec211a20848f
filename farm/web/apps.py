"""Django's entry for this room."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """farm.web."""

    name = "farm.web"
    label = "web"
