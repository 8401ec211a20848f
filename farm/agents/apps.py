"""Django's entry for this room."""

from django.apps import AppConfig


class AgentsConfig(AppConfig):
    """farm.agents."""

    name = "farm.agents"
    label = "agents"
