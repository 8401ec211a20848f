"""Django's entry for this room."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """farm.accounts."""

    name = "farm.accounts"
    label = "accounts"
