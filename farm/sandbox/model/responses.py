"""OpenAI's Responses API over the same mind: texts only, as far as the farm's relay needs it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from farm.sandbox.model.conversation import Conversation, Message, Reply, Role
from farm.sandbox.model.openai import OpenAI, plain_text
from farm.sandbox.model.speech import Speech
from farm.sandbox.model.usage import Usage
from farm.sandbox.wire import BadRequestError, Json, JsonObject, flag_of, objects_of, text_of

_PIECE = 24
_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}


@dataclass(frozen=True, slots=True)
class Responses(OpenAI):
    """The key and the errors are OpenAI's; a request and its answer have another shape."""

    def conversation(self, body: JsonObject) -> Conversation:
        """The conversation in a request; BadRequestError where OpenAI says 400."""
        given = body.get("input")
        asked = (Message(Role.USER, given),) if isinstance(given, str) else _messages(body)
        if not asked:
            raise BadRequestError("Missing required parameter: 'input'.")
        return Conversation(text_of(body, "model"), asked, stream=flag_of(body, "stream"))

    def speech(self, conversation: Conversation, reply: Reply, usage: Usage) -> Speech:
        """An answer with an id of its own."""
        return Responded(conversation, reply, usage, f"resp_{secrets.token_hex(12)}", self.created)


@dataclass(frozen=True, slots=True)
class Responded:
    """One answer under way."""

    conversation: Conversation
    reply: Reply
    usage: Usage
    id: str
    created: int

    def whole(self) -> JsonObject:
        """As one object."""
        return {
            **self._envelope("completed"),
            "output": [self._message()],
            "usage": {
                "input_tokens": self.usage.asked,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": self.usage.answered,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": self.usage.asked + self.usage.answered,
            },
        }

    def frames(self) -> Iterator[str]:
        """As server-sent events, numbered; the last one carries the whole response."""
        for number, event in enumerate(self._events()):
            numbered = {**event, "sequence_number": number}
            yield f"event: {event['type']}\ndata: {json.dumps(numbered)}\n\n"

    def _events(self) -> Iterator[JsonObject]:
        yield {"type": "response.created", "response": self._envelope("in_progress")}
        text = self.reply.text
        for start in range(0, len(text), _PIECE):
            piece = text[start : start + _PIECE]
            yield {"type": "response.output_text.delta", "output_index": 0, "delta": piece}
        yield {"type": "response.completed", "response": self.whole()}

    def _envelope(self, status: str) -> dict[str, Json]:
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "model": self.conversation.model,
        }

    def _message(self) -> Json:
        part: Json = {"type": "output_text", "text": self.reply.text, "annotations": []}
        return {"type": "message", "role": "assistant", "status": "completed", "content": [part]}


def _messages(body: JsonObject) -> tuple[Message, ...]:
    return tuple(
        Message(_ROLES.get(text_of(raw, "role", ""), Role.SYSTEM), plain_text(raw.get("content")))
        for raw in objects_of(body, "input")
    )
