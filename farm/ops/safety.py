"""Stops a process of the farm before it starts with settings that are missing or unsafe."""

from __future__ import annotations

from django.core.checks import ERROR, CheckMessage, run_checks

from farm.ops.answer import Trouble


def refuse_unsafe_settings() -> None:
    """Trouble that lists every error of Django's system checks with its remedy."""
    if errors := [found for found in run_checks() if found.level >= ERROR]:
        raise Trouble("\n".join(sentence_of(error) for error in errors), code="settings")


def sentence_of(found: CheckMessage) -> str:
    """What is wrong and what mends it, in one line."""
    return f"{found.msg} {found.hint}" if found.hint else str(found.msg)
