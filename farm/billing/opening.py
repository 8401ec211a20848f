"""Opens the gateway to Stripe where a farm has one; its SDK is loaded by who needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from farm.billing.gateway import Gateway


def gateway() -> Gateway | None:
    """Where the settings lead; None where this farm takes no money."""
    if not settings.STRIPE_SECRET_KEY:
        return None
    # A vendor's SDK takes a good part of a second to load: only who asks Stripe waits.
    from farm.billing.gateway import connect  # noqa: PLC0415

    return connect(
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET, settings.STRIPE_API_BASE
    )
