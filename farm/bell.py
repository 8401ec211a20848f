"""The bell: tells Celery's workers that something is due, where there is a broker.

The database is the truth and a look every few seconds finds what is due; a bell that nobody hears
makes things slower, never wrong. The plain loop looks by itself.
"""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

LOOK = "farm.look"
LOOK_EXPIRES = 5.0
"""Seconds after which another look has found what this one would have."""


def ring() -> None:
    """Once this transaction is committed, have somebody look for what is due."""
    if settings.BROKER_URL:
        transaction.on_commit(_ring, robust=True)


def _ring() -> None:
    # Only where there is a broker is Celery loaded at all.
    from farm.celery import app  # noqa: PLC0415

    app.send_task(LOOK, expires=LOOK_EXPIRES, retry=False)
