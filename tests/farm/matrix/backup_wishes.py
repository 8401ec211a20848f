"""Wishes about backups, and what time does to them, as the zygote's children utter them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from farm.accounts.models import Door
from farm.agents import services
from farm.agents.models import Agent, Backup, BackupRound
from farm.bell import ring

Order = Mapping[str, str]


def back_up(_order: Order) -> str:
    """Ask for a backup; its uid."""
    agent = Agent.objects.first()
    assert agent
    return services.back_up(actor=agent.owner, door=Door.CLI, agent=agent).uid


def restore(order: Order) -> str:
    """Have the agent be as it was in a backup."""
    backup = Backup.objects.get(uid=order["backup"])
    services.restore_agent(
        actor=backup.agent.owner, door=Door.CLI, agent=backup.agent, backup=backup
    )
    return backup.uid


def bring_back(_order: Order) -> str:
    """Have the deleted agent again."""
    agent = Agent.objects.get()
    services.bring_back(actor=agent.owner, door=Door.CLI, agent=agent)
    return agent.uid


def delete_unsaved(_order: Order) -> str:
    """Ask for the agent's end without a backup."""
    agent = Agent.objects.get()
    services.delete_agent(actor=agent.owner, door=Door.CLI, agent=agent, without_backup=True)
    return agent.uid


def save_again(_order: Order) -> str:
    """Try the backup before the deletion once more."""
    agent = Agent.objects.get()
    services.save_again(actor=agent.owner, door=Door.CLI, agent=agent)
    return agent.uid


def nightfall(_order: Order) -> str:
    """What time does: the agent has run for days, and the round is due."""
    long_ago = timezone.now() - timedelta(days=2)
    Agent.objects.update(running_since=long_ago)
    BackupRound.objects.update(due_at=timezone.now())
    return "night"


def hurry(_order: Order) -> str:
    """What time does: the tries of a backup that fails follow one another at once."""
    deadline = time.monotonic() + 60
    waiting = Backup.objects.filter(state__in=("asked", "making"))
    while waiting.exists() and time.monotonic() < deadline:
        # One that is due stays so: made due anew each time, it would be later than every look.
        now = timezone.now()
        with transaction.atomic():
            if waiting.filter(due_at__gt=now).update(due_at=now):
                ring()
        time.sleep(0.05)
    return "over"


def lose(order: Order) -> str:
    """What time does: a file in the store is old, and the next look through it is due."""
    os.utime(order["path"], (0, 0))
    BackupRound.objects.update(swept_at=None, due_at=timezone.now())
    return "lost"


def stored(order: Order) -> str:
    """As if a worker died between storing a backup and recording it; where it was stored."""
    place = "somewhere/half.age"
    Backup.objects.filter(uid=order["backup"]).update(state="making", store="disk", place=place)
    return place


def age_backups(order: Order) -> str:
    """What time does: every backup becomes so many days older."""
    past = timedelta(days=int(order["days"]))
    for row in Backup.objects.exclude(expires_at=None):
        assert row.expires_at
        row.expires_at -= past
        row.due_at = timezone.now()
        row.save(update_fields=["expires_at", "due_at"])
    return "older"


BACKUP_VERBS: Mapping[str, Callable[[Order], str]] = {
    "age_backups": age_backups,
    "back_up": back_up,
    "bring_back": bring_back,
    "delete_unsaved": delete_unsaved,
    "hurry": hurry,
    "lose": lose,
    "nightfall": nightfall,
    "restore": restore,
    "save_again": save_again,
    "stored": stored,
}
