"""How many tokens a request and its answer count, roughly as a real model would count them."""

from __future__ import annotations

from dataclasses import dataclass

from farm.sandbox.model.conversation import Conversation, Reply

_CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and tokens written; neither is ever 0."""

    asked: int
    answered: int


def usage_of(conversation: Conversation, reply: Reply) -> Usage:
    """Counted from the texts alone, so that the same request always costs the same."""
    asked = sum(len(message.text) for message in conversation.messages)
    answered = len(reply.text) + sum(len(str(call)) for call in reply.calls)
    return Usage(asked=_tokens(asked), answered=_tokens(answered))


def _tokens(characters: int) -> int:
    return 1 + characters // _CHARACTERS_PER_TOKEN
