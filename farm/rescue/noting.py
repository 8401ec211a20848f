"""What became of a backup of the farm or of a drill, noted for the operator's morning."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction

from farm.accounts.models import Door
from farm.accounts.services import record
from farm.agents.models import Rescue, RescueKind
from farm.rescue.refusals import RescueRefused

REMEMBERED = timedelta(days=400)
VERBS = {RescueKind.BACKUP: "back up farm", RescueKind.DRILL: "drill a restore"}


@transaction.atomic
def note_success(
    kind: RescueKind, now: datetime, *, archive: str, size: int = 0, rows: int = 0
) -> None:
    """It went well; `size` in bytes."""
    Rescue.objects.create(kind=kind, at=now, archive=archive, size=size, rows=rows)
    Rescue.objects.filter(at__lt=now - REMEMBERED).delete()
    record(account=None, actor=None, door=Door.CLI, verb=VERBS[kind], subject=archive)


@contextmanager
def failure_noted(kind: RescueKind, now: datetime) -> Iterator[None]:
    """What fails within ends as RescueRefused, and the morning tells of it.

    A database that takes no such note is told of by everything else.
    """
    try:
        yield
    except RescueRefused as refused:
        _note_failure(kind, now, refused.sentence)
        raise
    except (OSError, DatabaseError) as error:
        sentence = f"{error}: look at the room on this disk, and whether the database answers."
        _note_failure(kind, now, sentence)
        raise RescueRefused(sentence, "failed") from error


def _note_failure(kind: RescueKind, now: datetime, sentence: str) -> None:
    with suppress(DatabaseError), transaction.atomic():
        Rescue.objects.create(kind=kind, at=now, problem=sentence[:500])
        record(account=None, actor=None, door=Door.CLI, verb=VERBS[kind], subject="failed")
