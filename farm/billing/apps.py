"""Django's entry for this room."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """farm.billing."""

    name = "farm.billing"
    label = "billing"
