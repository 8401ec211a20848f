"""Google's wire format: content asked for and generated, whole or as server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aiohttp import web

from farm.sandbox.faults import Answer
from farm.sandbox.model import MODEL
from farm.sandbox.model.conversation import Conversation, Message, Reply, Role, Tool
from farm.sandbox.model.usage import Usage
from farm.sandbox.wire import (
    BadRequestError,
    Json,
    JsonObject,
    answer,
    object_of,
    objects_of,
    text_of,
)

STREAM_VERB = "streamGenerateContent"
_PIECE = 24
_STATUSES = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 429: "RESOURCE_EXHAUSTED"}
_QUOTA = "You exceeded your current quota, please check your plan and billing details."


@dataclass(frozen=True, slots=True)
class Google:
    """How Google reads a key and a request, and words what it answers; the model is in the path."""

    model: str
    stream: bool

    def key(self, request: web.Request) -> str:
        """The key in x-goog-api-key or in the address, "" without one."""
        return request.headers.get("x-goog-api-key", "") or request.query.get("key", "")

    def conversation(self, body: JsonObject) -> Conversation:
        """The conversation in a request; BadRequestError where Google says 400."""
        messages = tuple(m for raw in objects_of(body, "contents") for m in _messages(raw))
        if not messages:
            raise BadRequestError("* GenerateContentRequest.contents: contents is not specified")
        system = _texts(object_of(body, "systemInstruction"))
        told = (Message(Role.SYSTEM, system),) if system else ()
        return Conversation(
            model=self.model,
            messages=(*told, *messages),
            tools=tuple(_tools(body)),
            stream=self.stream,
        )

    def speech(self, conversation: Conversation, reply: Reply, usage: Usage) -> Generated:
        """An answer."""
        return Generated(conversation, reply, usage)

    def models(self) -> web.Response:
        """The list of models."""
        model: Json = {
            "name": f"models/{MODEL}",
            "displayName": "Sandbox 1",
            "supportedGenerationMethods": ["generateContent"],
        }
        return answer({"models": [model]})

    def refused(self, _: str) -> web.Response:
        """400 for a key it does not know: Google says no 401 here."""
        return error(400, "API key not valid. Please pass a valid API key.")

    def without_credit(self) -> web.Response:
        """429."""
        return error(429, _QUOTA)

    def unusable(self, message: str) -> web.Response:
        """400 for a request it cannot read."""
        return error(400, message)

    def ordered(self, ordered: Answer) -> web.Response:
        """A fault's answer in Google's envelope."""
        return error(ordered.status, ordered.message)


def error(status: int, message: str) -> web.Response:
    """Google's error envelope."""
    word = _STATUSES.get(status, "INTERNAL")
    return answer({"error": {"code": status, "message": message, "status": word}}, status)


@dataclass(frozen=True, slots=True)
class Generated:
    """One answer under way."""

    conversation: Conversation
    reply: Reply
    usage: Usage

    def whole(self) -> JsonObject:
        """As one object."""
        return self._piece(self._parts(), "STOP", self.usage.answered)

    def frames(self) -> Iterator[str]:
        """As server-sent events; each tells the usage so far."""
        parts = [piece for part in self._parts() for piece in _pieces(part)]
        for number, part in enumerate(parts, start=1):
            last = number == len(parts)
            wrote = self.usage.answered if last else min(number, self.usage.answered)
            event = self._piece([part], "STOP" if last else "", wrote)
            yield f"data: {json.dumps(event)}\r\n\r\n"

    def _parts(self) -> list[Json]:
        calls: list[Json] = [
            {"functionCall": {"name": call.name, "args": call.arguments}}
            for call in self.reply.calls
        ]
        return calls or [{"text": self.reply.text}]

    def _piece(self, parts: Sequence[Json], finish: str, wrote: int) -> JsonObject:
        candidate: dict[str, Json] = {"content": {"role": "model", "parts": parts}, "index": 0}
        if finish:
            candidate["finishReason"] = finish
        return {
            "candidates": [candidate],
            "usageMetadata": {
                "promptTokenCount": self.usage.asked,
                "candidatesTokenCount": wrote,
                "totalTokenCount": self.usage.asked + wrote,
            },
            "modelVersion": self.conversation.model,
        }


def _pieces(part: Json) -> Iterator[Json]:
    text = part.get("text") if isinstance(part, dict) else None
    if not isinstance(text, str):
        yield part
        return
    for start in range(0, max(len(text), 1), _PIECE):
        yield {"text": text[start : start + _PIECE]}


def _messages(raw: JsonObject) -> Iterator[Message]:
    """A content of Google's may carry the results of tools beside the user's words."""
    role = Role.ASSISTANT if text_of(raw, "role", "") == "model" else Role.USER
    parts = objects_of(raw, "parts")
    for part in parts:
        if "functionResponse" in part:
            response = object_of(object_of(part, "functionResponse"), "response")
            yield Message(Role.TOOL, json.dumps(response))
    called = any("functionCall" in part for part in parts)
    text = _texts(raw)
    if text or called:
        yield Message(role, text, called=called)


def _texts(raw: JsonObject) -> str:
    texts = (text_of(part, "text", "") for part in objects_of(raw, "parts"))
    return "\n".join(text for text in texts if text)


def _tools(body: JsonObject) -> Iterator[Tool]:
    for group in objects_of(body, "tools"):
        for declared in objects_of(group, "functionDeclarations"):
            schema = object_of(declared, "parametersJsonSchema")
            schema = object_of(declared, "parameters") or schema
            yield Tool(text_of(declared, "name", ""), tuple(object_of(schema, "properties")))
