"""A conversation as both wire formats carry it, and what in it the model is to answer now."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from farm.sandbox.wire import Json

# OpenClaw adds blocks of its own to the conversation, as messages of the user, also after a tool's
# result, and wraps what a person said: nothing of this was said by anybody.
_NOT_SAID = (
    re.compile(
        r"<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>.*?(<<<END_OPENCLAW_INTERNAL_CONTEXT>>>|\Z)",
        re.DOTALL,
    ),
    re.compile(r"\A\[\w{3} \d{4}-\d\d-\d\d \d\d:\d\d [^\]\n]*\] "),
    re.compile(r"^[^\n]*⟦openclaw:ctx⟧\n```json\n.*?\n```\n", re.DOTALL | re.MULTILINE),
    re.compile(r"\n\nRuntime: name=[^\n]*\Z"),
)


class Role(StrEnum):
    """Who a message is from; a tool's result is a message of its own here."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model's wish that the client runs a tool."""

    name: str
    arguments: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `called` says that the assistant asked for tools in it."""

    role: Role
    text: str
    called: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool the client offers, with the names of its arguments."""

    name: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """A request to go on with `messages`, using `tools` if need be."""

    model: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    stream: bool = False
    usage_wanted: bool = False

    @property
    def question(self) -> str:
        """What the person said last, before the model began to answer it with tools."""
        asked = ""
        for message in self._open_turn():
            if message.role is Role.ASSISTANT:
                break
            if message.role is Role.USER:
                asked = _said(message.text) or asked
        return asked

    @property
    def steps_taken(self) -> int:
        """How often the model asked for tools since the question."""
        return sum(1 for message in self._open_turn() if message.called)

    @property
    def results(self) -> tuple[str, ...]:
        """What the tools returned since the question, in order."""
        return tuple(m.text for m in self._open_turn() if m.role is Role.TOOL)

    def tool(self, *names: str) -> Tool | None:
        """The first offered tool among these names."""
        offered = {tool.name: tool for tool in self.tools}
        return next((offered[name] for name in names if name in offered), None)

    def _open_turn(self) -> tuple[Message, ...]:
        """Everything after the assistant's last word that was no call of a tool."""
        answered = [
            number
            for number, message in enumerate(self.messages, start=1)
            if message.role is Role.ASSISTANT and not message.called
        ]
        return self.messages[answered[-1] if answered else 0 :]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model says: a text, or tools to be run."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()


def _said(text: str) -> str:
    for pattern in _NOT_SAID:
        text = pattern.sub("", text)
    return text.strip()
