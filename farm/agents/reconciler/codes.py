"""Who sent a link's code to a bot: that person may talk to the agent, and nobody else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from farm.agents.services.channels import CODE_LENGTH, CODE_LETTERS


class Heard(Protocol):
    """A text that somebody sent to a bot, in whichever chat app."""

    @property
    def text(self) -> str:
        """What they wrote."""


Told = TypeVar("Told", bound=Heard)


def sender_of(code: str, notes: Iterable[Told]) -> Told | None:
    """The note with the code, alone or in a sentence."""
    return next((heard for heard in notes if _guesses_in(heard.text) == [code]), None)


def _guesses_in(text: str) -> list[str]:
    """The words shaped as a code; a message of several is a stranger trying hundreds at once."""
    return [
        word
        for word in text.upper().split()
        if len(word) == CODE_LENGTH and set(word) <= set(CODE_LETTERS)
    ]
