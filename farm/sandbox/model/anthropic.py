"""Anthropic's wire format: a message asked and answered, whole or as server-sent events."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from aiohttp import web

from farm.sandbox.faults import Answer
from farm.sandbox.model import MODEL
from farm.sandbox.model.conversation import Conversation, Message, Reply, Role, Tool
from farm.sandbox.model.openai import plain_text
from farm.sandbox.model.usage import Usage
from farm.sandbox.wire import (
    BadRequestError,
    Json,
    JsonObject,
    answer,
    flag_of,
    object_of,
    objects_of,
    text_of,
)

_PIECE = 24
_LOW_BALANCE = (
    "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to"
    " upgrade or purchase credits."
)


def read_conversation(body: JsonObject) -> Conversation:
    """The conversation in a messages request; BadRequestError where Anthropic says 400."""
    if "max_tokens" not in body:
        raise BadRequestError("max_tokens: Field required")
    messages = tuple(m for raw in objects_of(body, "messages") for m in _messages(raw))
    if not messages:
        raise BadRequestError("messages: at least one message is required")
    return Conversation(
        model=text_of(body, "model"),
        messages=messages,
        tools=tuple(_tool(raw) for raw in objects_of(body, "tools")),
        stream=flag_of(body, "stream"),
    )


class Anthropic:
    """How Anthropic reads a key and a request, and words what it answers."""

    def key(self, request: web.Request) -> str:
        """The key in x-api-key, "" without one."""
        return request.headers.get("x-api-key", "")

    def conversation(self, body: JsonObject) -> Conversation:
        """The conversation in a messages request; BadRequestError where Anthropic says 400."""
        return read_conversation(body)

    def speech(self, conversation: Conversation, reply: Reply, usage: Usage) -> Said:
        """An answer with an id of its own."""
        return Said(conversation, reply, usage, f"msg_{secrets.token_hex(12)}")

    def models(self) -> web.Response:
        """The list of models."""
        model: Json = {
            "type": "model",
            "id": MODEL,
            "display_name": "Sandbox 1",
            "created_at": "2026-01-01T00:00:00Z",
        }
        return answer({"data": [model], "has_more": False, "first_id": MODEL, "last_id": MODEL})

    def refused(self, _: str) -> web.Response:
        """401 for a key it does not know, as for none at all."""
        return error(401, "invalid x-api-key", kind="authentication_error")

    def without_credit(self) -> web.Response:
        """400, as Anthropic words an empty balance."""
        return error(400, _LOW_BALANCE, kind="invalid_request_error")

    def unusable(self, message: str) -> web.Response:
        """400 for a request it cannot read."""
        return error(400, message, kind="invalid_request_error")

    def ordered(self, ordered: Answer) -> web.Response:
        """A fault's answer in Anthropic's envelope."""
        return error(ordered.status, ordered.message, kind=ordered.code)


def error(status: int, message: str, *, kind: str) -> web.Response:
    """Anthropic's error envelope."""
    body: Json = {
        "type": "error",
        "error": {"type": kind, "message": message},
        "request_id": f"req_{secrets.token_hex(12)}",
    }
    return answer(body, status)


@dataclass(frozen=True, slots=True)
class Said:
    """One answer under way."""

    conversation: Conversation
    reply: Reply
    usage: Usage
    id: str

    def whole(self) -> JsonObject:
        """The answer as one object."""
        return self._envelope() | {
            "content": self._blocks(),
            "stop_reason": self._stop(),
            "usage": {"input_tokens": self.usage.asked, "output_tokens": self.usage.answered},
        }

    def frames(self) -> Iterator[str]:
        """The answer as server-sent events; an event's name is its `type`."""
        for event in self._events():
            yield f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"

    def _events(self) -> Iterator[JsonObject]:
        started = self._envelope() | {
            "content": [],
            "stop_reason": None,
            "usage": {"input_tokens": self.usage.asked, "output_tokens": 1},
        }
        yield {"type": "message_start", "message": started}
        for number, block in enumerate(self._blocks()):
            yield from _block_events(number, block)
        yield {
            "type": "message_delta",
            "delta": {"stop_reason": self._stop(), "stop_sequence": None},
            "usage": {"output_tokens": self.usage.answered},
        }
        yield {"type": "message_stop"}

    def _envelope(self) -> dict[str, Json]:
        return {
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self.conversation.model,
            "stop_sequence": None,
        }

    def _blocks(self) -> list[dict[str, Json]]:
        text: list[dict[str, Json]] = [{"type": "text", "text": self.reply.text}]
        calls: list[dict[str, Json]] = [
            {
                "type": "tool_use",
                "id": f"toolu_{self.id[-12:]}{number}",
                "name": call.name,
                "input": call.arguments,
            }
            for number, call in enumerate(self.reply.calls)
        ]
        return calls or text

    def _stop(self) -> str:
        return "tool_use" if self.reply.calls else "end_turn"


def _block_events(number: int, block: JsonObject) -> Iterator[JsonObject]:
    empty: dict[str, Json] = {"input": {}} if block["type"] == "tool_use" else {"text": ""}
    yield {
        "type": "content_block_start",
        "index": number,
        "content_block": dict(block) | empty,
    }
    for delta in _deltas(block):
        yield {"type": "content_block_delta", "index": number, "delta": delta}
    yield {"type": "content_block_stop", "index": number}


def _deltas(block: JsonObject) -> Iterator[JsonObject]:
    if block["type"] == "tool_use":
        yield {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        return
    text = text_of(block, "text")
    for start in range(0, len(text), _PIECE):
        yield {"type": "text_delta", "text": text[start : start + _PIECE]}


def _messages(raw: JsonObject) -> Iterator[Message]:
    """A user's message of Anthropic's may carry the results of tools beside the user's words."""
    role = Role.ASSISTANT if text_of(raw, "role", "") == "assistant" else Role.USER
    content = raw.get("content")
    if isinstance(content, str):
        yield Message(role=role, text=content)
        return
    blocks = objects_of(raw, "content")
    for block in blocks:
        if text_of(block, "type", "") == "tool_result":
            yield Message(role=Role.TOOL, text=plain_text(block.get("content")))
    text = "\n".join(text_of(b, "text", "") for b in blocks if text_of(b, "type", "") == "text")
    called = any(text_of(block, "type", "") == "tool_use" for block in blocks)
    if text or called:
        yield Message(role=role, text=text, called=called)


def _tool(raw: JsonObject) -> Tool:
    arguments = object_of(object_of(raw, "input_schema"), "properties")
    return Tool(name=text_of(raw, "name", ""), arguments=tuple(arguments))
