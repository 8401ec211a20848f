"""One thing that the operator is to do."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Todo:
    """`sentence` says what is wrong, `command` what mends it or shows more; `about` an agent."""

    code: str
    sentence: str | Promise
    command: str
    about: str = ""
