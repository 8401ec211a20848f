"""The farm's backups of itself, and the drills that try to restore one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Min
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import User
from farm.agents.models import Rescue, RescueKind
from farm.agents.selectors.morning.todo import Todo

BACKUP_LATE = timedelta(hours=36)
DRILL_LATE = timedelta(days=9)


@dataclass(frozen=True, slots=True)
class Rescues:
    """When the farm last backed itself up, and when such a backup was last tried; None for never.

    The problems are why the last try of each failed, "" if it did not. `drill_rows` came back.
    """

    backup_at: datetime | None
    backup_problem: str
    drill_at: datetime | None
    drill_rows: int
    drill_problem: str


def rescues_now() -> Rescues:
    """Four short queries."""
    backup, drill = _last_good(RescueKind.BACKUP), _last_good(RescueKind.DRILL)
    return Rescues(
        backup_at=backup.at if backup else None,
        backup_problem=_problem(RescueKind.BACKUP),
        drill_at=drill.at if drill else None,
        drill_rows=drill.rows if drill else 0,
        drill_problem=_problem(RescueKind.DRILL),
    )


def rescues_to_do(now: datetime) -> Iterator[Todo]:
    """What failed; on a farm that serves people also what nobody did in time."""
    seen = rescues_now()
    if seen.backup_problem:
        text = _("The farm's backup of itself failed: {why}")
        sentence = format_lazy(text, why=seen.backup_problem)
        yield Todo("farm_backup_failed", sentence, "farm backup")
    elif _is_late(seen.backup_at, BACKUP_LATE, now):
        sentence = _("The farm has had no backup of itself for a day and a half.")
        yield Todo("farm_backup_late", sentence, "farm backup")
    if seen.drill_problem:
        sentence = format_lazy(_("The restore drill failed: {why}"), why=seen.drill_problem)
        yield Todo("drill_failed", sentence, "farm drill")
    elif _is_late(seen.drill_at, DRILL_LATE, now):
        sentence = _("For nine days nobody has tried whether the farm's backup can be restored.")
        yield Todo("drill_late", sentence, "farm drill")


def _is_late(at: datetime | None, patience: timedelta, now: datetime) -> bool:
    """A laptop's farm need not; a new farm has its time, counted from its first person."""
    if settings.DEBUG:
        return False
    since = at or User.objects.aggregate(first=Min("date_joined"))["first"]
    return since is not None and now - since > patience


def _last_good(kind: RescueKind) -> Rescue | None:
    return Rescue.objects.filter(kind=kind, problem="").order_by("pk").last()


def _problem(kind: RescueKind) -> str:
    last = Rescue.objects.filter(kind=kind).order_by("pk").last()
    return last.problem if last else ""
