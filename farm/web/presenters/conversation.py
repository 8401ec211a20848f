"""The conversation in words: who said what, and how each line of the member stands."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from farm.agents import selectors
from farm.agents.models import Agent, AgentPhase, Message
from farm.agents.sentences import sentence_for

State = Message.State


@dataclass(frozen=True, slots=True)
class Line:
    """One line. An agent's text is hostile: templates escape it and add nothing to it."""

    pk: int
    is_mine: bool
    text: str
    at: datetime
    state: str
    trouble: str
    next: str
    can_repeat: bool


@dataclass(frozen=True, slots=True)
class Talk:
    """The whole of it; `seen` changes whenever anything that is shown changes."""

    lines: tuple[Line, ...]
    is_thinking: bool
    is_changing: bool
    suggestions: tuple[str, ...]
    seen: str


def talk_of(agent: Agent) -> Talk:
    """What the page shows of the conversation."""
    messages = list(selectors.conversation_of(agent))
    changing = agent.phase != AgentPhase.RUNNING
    return Talk(
        lines=tuple(_line(message) for message in messages),
        is_thinking=any(message.state in (State.QUEUED, State.SENT) for message in messages),
        is_changing=changing,
        suggestions=() if _has_spoken(messages) else selectors.suggestions_of(agent),
        seen=_digest(messages, changing=changing),
    )


def _line(message: Message) -> Line:
    trouble = message.state in (State.FAILED, State.UNKNOWN)
    words = sentence_for(message.reason)
    return Line(
        pk=message.pk,
        is_mine=message.author == Message.Author.MEMBER,
        text=message.text,
        at=message.at,
        state=message.state,
        trouble=str(words.what or message.get_state_display()) if trouble else "",
        next=str(words.next) if trouble else "",
        can_repeat=trouble,
    )


def _has_spoken(messages: Sequence[Message]) -> bool:
    return any(message.author == Message.Author.MEMBER for message in messages)


def _digest(messages: Sequence[Message], *, changing: bool) -> str:
    shown = ";".join(f"{message.pk}:{message.state}" for message in messages)
    return hashlib.sha256(f"{shown}{changing}".encode()).hexdigest()[:16]
