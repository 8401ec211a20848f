"""Addresses of pages as somebody elsewhere needs them."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse


def absolute(name: str, *args: str) -> str:
    """The whole address of a page, to lead people back to it."""
    return f"{settings.SITE_URL}{reverse(name, args=args)}"
