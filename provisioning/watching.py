"""An agent that stops answering: what is tried, how patiently, and when people are told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

LONGEST_PATIENCE = 32
"""How many times the first patience a later one may be."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often an agent is looked at, how long a silence may be a hiccup, what a restart may take.

    Each restart in vain doubles the wait for the next; after `tell_after` of them people are told.
    """

    look_every: timedelta = timedelta(minutes=2)
    hiccup: timedelta = timedelta(seconds=20)
    restart: timedelta = timedelta(minutes=2)
    tell_after: int = 2


@dataclass(frozen=True, slots=True)
class Silence:
    """All that decides what is next for an agent that was silent when it was looked at."""

    since: datetime
    restarts: int
    last_restart_at: datetime | None
    told: bool


def is_to_restart(silence: Silence, now: datetime, patience: Patience) -> bool:
    """Whether a hiccup is ruled out, and the last restart had its time to work."""
    if silence.last_restart_at is None:
        return now >= silence.since + patience.hiccup
    doubled: int = min(2 ** min(max(silence.restarts - 1, 0), 10), LONGEST_PATIENCE)
    return now >= silence.last_restart_at + patience.restart * doubled


def is_to_tell(silence: Silence, now: datetime, patience: Patience) -> bool:
    """Whether enough was tried in vain, and nobody knows yet."""
    if silence.told or silence.last_restart_at is None or silence.restarts < patience.tell_after:
        return False
    return now >= silence.last_restart_at + patience.restart
