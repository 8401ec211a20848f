"""What the doctor looks at in agents' backups: are they fresh, and does their store work."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import DatabaseError
from django.utils import timezone

from farm.agents.selectors import backup_health
from farm.ops.findings import Finding


def kept() -> Iterator[Finding]:
    """Agents whose last good backup is old, deletions that wait for it, and the store."""
    try:
        health = backup_health(timezone.now())
    except DatabaseError:
        return
    if health.trouble:
        remedy = "Look at S3_BUCKET and its keys, or at the room on this disk."
        yield Finding("backups", health.trouble, remedy)
    for agent in health.late:
        said = f"{agent} of {agent.owner.email} has had no good backup for a day and a half."
        yield Finding("backups", said, f"See `farm agents backups {agent.uid}`.")
    for agent in health.unsaved:
        said = f"{agent} is to be deleted, but what it has could not be saved."
        yield Finding("backups", said, f"Its member decides; see `farm agents logs {agent.uid}`.")
    if not (health.trouble or health.late or health.unsaved):
        last = f"the last one {health.newest:%F %H:%M} UTC" if health.newest else "none yet"
        yield Finding("backups", f"Fresh for every agent that runs; {last}.")
