"""The conversation in words: who said what, and how each line of the member stands."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from farm.agents import selectors
from farm.agents.models import Agent, AgentPhase, Message
from farm.agents.sentences import sentence_for

State = Message.State
LOST = (State.FAILED, State.UNKNOWN)
LAST_LINK = re.compile(r"\[(?P<words>[^\[\]\n]{1,80})\]\((?P<url>https?://[^\s()\\]{1,200})\)\s*\Z")


@dataclass(frozen=True, slots=True)
class Link:
    """Where a line ends: words that lead to a page of this farm, by its path."""

    words: str
    path: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line. An agent's text is hostile: templates escape it and add nothing to it.

    `link` is where it leads on this farm, "" for nowhere; `can_repeat` until it was sent again.
    """

    pk: int
    is_mine: bool
    text: str
    link: Link | None
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
    changing = agent.phase in (AgentPhase.CONFIGURING, AgentPhase.RESTORING)
    return Talk(
        lines=tuple(_line(message, messages) for message in messages),
        is_thinking=any(message.state in (State.QUEUED, State.SENT) for message in messages),
        is_changing=changing,
        suggestions=() if _has_spoken(messages) else selectors.suggestions_of(agent),
        seen=_digest(messages, changing=changing),
    )


def _line(message: Message, messages: Sequence[Message]) -> Line:
    trouble = message.state in LOST
    words = sentence_for(message.reason)
    text, link = _split(message)
    return Line(
        pk=message.pk,
        is_mine=message.author == Message.Author.MEMBER,
        text=text,
        link=link,
        at=message.at,
        state=message.state,
        trouble=str(words.what or message.get_state_display()) if trouble else "",
        next=str(words.next) if trouble else "",
        can_repeat=trouble and not _was_repeated(message, messages),
    )


def _was_repeated(message: Message, messages: Sequence[Message]) -> bool:
    later = (one for one in messages if one.pk > message.pk and one.author == message.author)
    return any(one.text == message.text and one.state not in LOST for one in later)


def _split(message: Message) -> tuple[str, Link | None]:
    """A last link to this farm is taken out of an agent's text; every other one stays text."""
    found = LAST_LINK.search(message.text) if message.author == Message.Author.AGENT else None
    site = f"{settings.SITE_URL}/"
    if found is None or not found["url"].startswith(site):
        return message.text, None
    path = "/" + found["url"].removeprefix(site).lstrip("/")
    return message.text[: found.start()].rstrip(), Link(found["words"], path)


def _has_spoken(messages: Sequence[Message]) -> bool:
    return any(message.author == Message.Author.MEMBER for message in messages)


def _digest(messages: Sequence[Message], *, changing: bool) -> str:
    shown = ";".join(f"{message.pk}:{message.state}" for message in messages)
    return hashlib.sha256(f"{shown}{changing}".encode()).hexdigest()[:16]
