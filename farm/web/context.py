"""What every template knows without being told."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def sandbox(request: HttpRequest) -> dict[str, str]:  # noqa: ARG001
    """Where a sandbox shows the mail it caught, and its phone; both empty in the real world."""
    mailbox = settings.SANDBOX_MAILBOX_URL
    phone = f"{settings.TELEGRAM_ENDPOINT}/" if mailbox else ""
    slack = f"{settings.SLACK_ENDPOINT.removesuffix('/api')}/" if mailbox else ""
    return {
        "sandbox_mailbox_url": mailbox,
        "sandbox_phone_url": phone,
        "sandbox_slack_url": slack,
    }


def standing(request: HttpRequest) -> dict[str, bool]:  # noqa: ARG001
    """Whether this farm is still being set up, and whether it is a lab in which nothing is real."""
    return {"setting_up": settings.SETTING_UP, "lab": settings.LAB}
