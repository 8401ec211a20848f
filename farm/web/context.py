"""What every template knows without being told."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def sandbox(request: HttpRequest) -> dict[str, str]:  # noqa: ARG001
    """`sandbox_mailbox_url`: where a sandbox shows the mail it caught; empty in the real world."""
    return {"sandbox_mailbox_url": settings.SANDBOX_MAILBOX_URL}
