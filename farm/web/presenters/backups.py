"""An agent's backups in words: how old, how large, and what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.formats import number_format
from django.utils.translation import gettext

from farm.agents import selectors
from farm.agents.models import Agent, Backup, BackupState, OperationState
from farm.agents.sentences import sentence_for
from farm.billing.amounts import FIRM
from farm.web.words import lifetime


@dataclass(frozen=True, slots=True)
class BackupLine:
    """One backup; `is_kept` ones can be brought back until `until` (None: as long as the agent)."""

    uid: str
    at: datetime
    age: str
    kind: str
    state: str
    size: str
    is_kept: bool
    is_under_way: bool


@dataclass(frozen=True, slots=True)
class BackupWords:
    """What the page shows; `trouble` and `next` say why the last one failed or was not brought
    back. `last` is the age of the newest good one, "" without one."""

    lines: tuple[BackupLine, ...]
    last: str
    is_possible: bool
    is_under_way: bool
    trouble: str
    next: str
    may_restore: bool


def backup_words(agent: Agent, now: datetime, *, may_restore: bool) -> BackupWords:
    """How it stands with the agent's backups."""
    keeping = selectors.keeping_of(agent)
    lines = tuple(_line(backup, now) for backup in keeping.backups)
    code = keeping.failed.reason if keeping.failed else _restore_trouble(keeping)
    words = sentence_for(code) if code else None
    return BackupWords(
        lines=lines,
        last=next((line.age for line in lines if line.is_kept), ""),
        is_possible=keeping.possible,
        is_under_way=any(line.is_under_way for line in lines),
        trouble=str(words.what) if words else "",
        next=str(words.next) if words else "",
        may_restore=may_restore,
    )


def _restore_trouble(keeping: selectors.Keeping) -> str:
    """The last restore came to nothing: say what happened."""
    restore = keeping.restore
    if restore is None or restore.state != OperationState.FAILED:
        return ""
    told = restore.agent.events.filter(
        code__in=("restore_refused", "restore_given_up"), at__gte=restore.started_at
    ).last()
    return told.code if told else ""


def size_words(size: int | None) -> str:
    """Bytes as people read them: 162 kB, 1.2 GB."""
    if size is None:
        return ""
    units = ((1_000_000_000, "GB", 1), (1_000_000, "MB", 1), (1_000, "kB", 0))
    for unit, name, places in units:
        if size >= unit:
            return f"{number_format(round(size / unit, places), decimal_pos=places)}{FIRM}{name}"
    return f"{size}{FIRM}B"


def _line(backup: Backup, now: datetime) -> BackupLine:
    at = backup.made_at or backup.asked_at
    return BackupLine(
        uid=backup.uid,
        at=at,
        age=gettext("%(time)s ago") % {"time": lifetime(now - at)},
        kind=backup.get_kind_display(),
        state=backup.get_state_display(),
        size=size_words(backup.size),
        is_kept=backup.state == BackupState.KEPT,
        is_under_way=backup.state in (BackupState.ASKED, BackupState.MAKING),
    )


@dataclass(frozen=True, slots=True)
class LeavingWords:
    """What a deletion saves: `saves` if it will be done, else `last`, the age of what there is.

    `asks` says that the backup before it failed and its member decides.
    """

    saves: bool
    last: str
    days: int
    asks: bool


def leaving_words(agent: Agent, now: datetime, days: int) -> LeavingWords:
    """What becomes of what the agent has."""
    words = backup_words(agent, now, may_restore=False)
    asks = selectors.waits_for_word(agent, now)
    return LeavingWords(saves=words.is_possible, last=words.last, days=days, asks=asks)
