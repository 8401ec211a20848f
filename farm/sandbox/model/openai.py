"""OpenAI's wire format: a chat completion asked and answered, whole or as server-sent events."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aiohttp import web

from farm.sandbox.faults import Answer
from farm.sandbox.model import MODEL
from farm.sandbox.model.conversation import Conversation, Message, Reply, Role, Tool
from farm.sandbox.model.speech import Speech
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

_ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "tool": Role.TOOL,
}
_PIECE = 24
NOTHING: JsonObject = {}
_QUOTA = (
    "You exceeded your current quota, please check your plan and billing details. For more"
    " information on this error, read the docs."
)


def read_conversation(body: JsonObject) -> Conversation:
    """The conversation in a chat completion request; BadRequestError where OpenAI says 400."""
    messages = tuple(_message(raw) for raw in objects_of(body, "messages"))
    if not messages:
        raise BadRequestError("messages is missing or empty: send at least one message.")
    if "stream_options" in body and _is_mistral(text_of(body, "model")):
        raise BadRequestError("stream_options: Extra inputs are not permitted")
    return Conversation(
        model=text_of(body, "model"),
        messages=messages,
        tools=tuple(_tool(raw) for raw in objects_of(body, "tools")),
        stream=flag_of(body, "stream"),
        usage_wanted=flag_of(object_of(body, "stream_options"), "include_usage"),
    )


def plain_text(content: Json) -> str:
    """The text of a content that is a string or a list of parts."""
    if isinstance(content, str):
        return content
    parts = objects_of({"parts": content}, "parts")
    return "\n".join(text_of(part, "text", "") for part in parts)


@dataclass(frozen=True, slots=True)
class OpenAI:
    """How OpenAI reads a key and a request, and words what it answers."""

    created: int

    def key(self, request: web.Request) -> str:
        """The bearer token, "" without one."""
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        return key.strip() if scheme.lower() == "bearer" else ""

    def conversation(self, body: JsonObject) -> Conversation:
        """The conversation in a chat completion request; BadRequestError where OpenAI says 400."""
        return read_conversation(body)

    def speech(self, conversation: Conversation, reply: Reply, usage: Usage) -> Speech:
        """An answer with an id of its own."""
        return Completion(
            conversation, reply, usage, f"chatcmpl-{secrets.token_hex(12)}", self.created
        )

    def models(self) -> web.Response:
        """The list of models."""
        model: Json = {
            "id": MODEL,
            "object": "model",
            "created": self.created,
            "owned_by": "sandbox",
        }
        return answer({"object": "list", "data": [model]})

    def refused(self, key: str) -> web.Response:
        """401 for a key it does not know, as for none at all."""
        if not key:
            return error(401, "You didn't provide an API key.", kind="invalid_request_error")
        shown = f"{key[:8]}***{key[-4:]}"
        message = f"Incorrect API key provided: {shown}."
        return error(401, message, kind="invalid_request_error", code="invalid_api_key")

    def without_credit(self) -> web.Response:
        """429 insufficient_quota."""
        return error(429, _QUOTA, kind="insufficient_quota", code="insufficient_quota")

    def unusable(self, message: str) -> web.Response:
        """400 for a request it cannot read."""
        return error(400, message, kind="invalid_request_error")

    def ordered(self, ordered: Answer) -> web.Response:
        """A fault's answer in OpenAI's envelope."""
        return error(ordered.status, ordered.message, kind=ordered.code, code=ordered.code)


def error(status: int, message: str, *, kind: str, code: str | None = None) -> web.Response:
    """OpenAI's error envelope."""
    body: Json = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return answer(body, status)


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer under way: the same id, time and model in every piece of it."""

    conversation: Conversation
    reply: Reply
    usage: Usage
    id: str
    created: int

    def whole(self) -> JsonObject:
        """The answer as one object."""
        message: dict[str, Json] = {"role": "assistant", "content": self.reply.text or None}
        if self.reply.calls:
            message["tool_calls"] = self._calls()
        choice: Json = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": self._finish(),
        }
        return self._envelope("chat.completion", [choice]) | {"usage": _usage(self.usage)}

    def frames(self) -> Iterator[str]:
        """The answer as server-sent events, [DONE] last."""
        yield from (f"data: {event}\n\n" for event in self._events())

    def _events(self) -> Iterator[str]:
        yield self._chunk({"role": "assistant", "content": ""})
        for start in range(0, len(self.reply.text), _PIECE):
            yield self._chunk({"content": self.reply.text[start : start + _PIECE]})
        for number, call in enumerate(self._calls()):
            yield self._chunk({"tool_calls": [{"index": number} | call]})
        if _is_mistral(self.conversation.model):
            yield self._chunk({}, self._finish(), {"usage": _usage(self.usage)})
        else:
            yield self._chunk({}, self._finish())
        if self.conversation.usage_wanted:
            last = self._envelope("chat.completion.chunk", [])
            yield json.dumps(last | {"usage": _usage(self.usage)})
        yield "[DONE]"

    def _chunk(self, delta: Json, finish: str | None = None, more: JsonObject = NOTHING) -> str:
        choice: Json = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return json.dumps({**self._envelope("chat.completion.chunk", [choice]), **more})

    def _envelope(self, kind: str, choices: Sequence[Json]) -> dict[str, Json]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.conversation.model,
            "choices": choices,
        }

    def _calls(self) -> list[dict[str, Json]]:
        return [
            {
                "id": f"call_{self.id[-12:]}{number}",
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
            }
            for number, call in enumerate(self.reply.calls)
        ]

    def _finish(self) -> str:
        return "tool_calls" if self.reply.calls else "stop"


def _is_mistral(model: str) -> bool:
    """Mistral speaks the same dialect, but tells the usage unasked and takes no wish for it."""
    return model.startswith(("mistral", "ministral", "codestral", "magistral"))


def _usage(usage: Usage) -> Json:
    return {
        "prompt_tokens": usage.asked,
        "completion_tokens": usage.answered,
        "total_tokens": usage.asked + usage.answered,
    }


def _message(raw: JsonObject) -> Message:
    role = _ROLES.get(text_of(raw, "role", ""))
    if role is None:
        raise BadRequestError("A message's role is system, developer, user, assistant or tool.")
    called = bool(objects_of(raw, "tool_calls"))
    return Message(role=role, text=plain_text(raw.get("content")), called=called)


def _tool(raw: JsonObject) -> Tool:
    function = object_of(raw, "function")
    arguments = object_of(object_of(function, "parameters"), "properties")
    return Tool(name=text_of(function, "name", ""), arguments=tuple(arguments))
