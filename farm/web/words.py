"""Durations as people read them."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import ngettext

from farm.billing.amounts import FIRM


def duration(seconds: float) -> str:
    """41 s, 2 min 41 s, 1 h 05 min; alike in both languages."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}{FIRM}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}{FIRM}min{FIRM}{rest:02}{FIRM}s" if rest else f"{minutes}{FIRM}min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{FIRM}h{FIRM}{minutes:02}{FIRM}min"


def lifetime(span: timedelta) -> str:
    """How long something lived: days from two days on, else a duration."""
    if span >= timedelta(days=2):
        return ngettext("%(n)s day", "%(n)s days", span.days) % {"n": span.days}
    return duration(span.total_seconds())
