"""How long the farm waits for what, from the settings."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from provisioning.steps import Deadlines
from provisioning.watching import Patience

OFFERS_EVERY = timedelta(minutes=10)
CHANNEL_CODE = timedelta(minutes=30)
WHATSAPP_CODE = timedelta(minutes=3)
WHATSAPP_LOOK = timedelta(minutes=5)
SAFETY_NET = timedelta(seconds=30)
"""Rows that wait for another row are woken by it; this is for the day that is forgotten."""


def deadlines() -> Deadlines:
    """The waits of the lifecycle."""
    return Deadlines(
        creating=timedelta(seconds=settings.CREATE_DEADLINE_SECONDS),
        booting=timedelta(seconds=settings.BOOT_DEADLINE_SECONDS),
        configuring=timedelta(seconds=settings.CONFIGURE_DEADLINE_SECONDS),
        capacity=timedelta(seconds=settings.CAPACITY_RETRY_SECONDS),
        settling=timedelta(seconds=settings.SETTLE_SECONDS),
        halting=timedelta(seconds=settings.HALT_DEADLINE_SECONDS),
        stopping=timedelta(seconds=settings.STOP_DEADLINE_SECONDS),
        waking=timedelta(seconds=settings.WAKE_DEADLINE_SECONDS),
    )


def lease() -> timedelta:
    """How long a claim lasts unless it is renewed."""
    return timedelta(seconds=settings.LEASE_SECONDS)


def sweep_every() -> timedelta:
    """How often the cloud's own list is held against the rows."""
    return timedelta(seconds=settings.SWEEP_SECONDS)


def patience() -> Patience:
    """How an agent that runs is looked after."""
    every = timedelta(seconds=settings.WATCH_SECONDS)
    return Patience(
        look_every=every,
        hiccup=every / 6,
        restart=timedelta(seconds=settings.RESTART_PATIENCE_SECONDS),
    )


def pause() -> timedelta:
    """How long a cloud is left alone after a trouble that only the operator can mend."""
    return timedelta(seconds=settings.PAUSE_SECONDS)


def final_backup() -> timedelta:
    """How long a deletion waits for the backup before it."""
    return timedelta(seconds=settings.FINAL_BACKUP_SECONDS)


def backup_round() -> timedelta:
    """How often it is looked which backups are due."""
    return timedelta(seconds=settings.BACKUP_ROUND_SECONDS)


def backup_kept() -> timedelta:
    """How long a backup is kept, unless it is an agent's last good one."""
    return timedelta(days=settings.BACKUP_KEEP_DAYS)


def backup_kept_after_deletion() -> timedelta:
    """How long the last backup of a deleted agent is kept."""
    return timedelta(days=settings.BACKUP_AFTER_DELETION_DAYS)
