"""Google's generateContent and streamGenerateContent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from farm.billing.ai_prices import Tokens
from farm.relay.dialects.base import Asked, Usage
from farm.relay.dialects.events import event_bytes
from farm.relay.reading import demand_one_answer
from farm.relay.wire import (
    BadCall,
    Json,
    JsonObject,
    count_in,
    limit_in,
    object_in,
    objects_in,
    text_in,
)

_TAIL = re.compile(r"models/([A-Za-z0-9][\w.-]{0,99}):(generateContent|streamGenerateContent)")
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_CONFIGS = ("generationConfig", "generation_config")
_LIMITS = ("maxOutputTokens", "max_output_tokens")


class Google:
    """How Google's callers ask, and how it answers. A stream is one of events (alt=sse)."""

    kind = "text/event-stream"

    def key(self, headers: Mapping[str, str], query: Mapping[str, str]) -> str:
        """In x-goog-api-key, or in the address."""
        return headers.get("x-goog-api-key", "") or query.get("key", "")

    def asked(self, body: JsonObject, tail: str) -> Asked:
        """Content asked for; the model stands in the path."""
        match = _TAIL.fullmatch(tail)
        if match is None:
            raise BadCall("The relay carries generateContent and streamGenerateContent only.")
        config = _config(body)
        demand_one_answer(config, "candidateCount", "candidate_count")
        limits = [limit_in(config, name) for name in _LIMITS]
        return Asked(
            model=match[1],
            body=body,
            stream=match[2] == "streamGenerateContent",
            most_written=next((limit for limit in limits if limit is not None), None),
        )

    def body(self, asked: Asked, most_written: int) -> JsonObject:
        """The same with its limit."""
        config = {name: value for name, value in _config(asked.body).items() if name not in _LIMITS}
        body = {name: value for name, value in asked.body.items() if name not in _CONFIGS}
        return {**body, "generationConfig": {**config, "maxOutputTokens": most_written}}

    def path(self, asked: Asked) -> str:
        """The model and the verb."""
        verb = "streamGenerateContent?alt=sse" if asked.stream else "generateContent"
        return f"/models/{asked.model}:{verb}"

    def headers(self, key: str, _given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """The key, and nothing of the caller's."""
        yield "x-goog-api-key", key

    def meter(self) -> GoogleMeter:
        """A fresh one."""
        return GoogleMeter()

    def shown(self, _asked: Asked, event: JsonObject) -> JsonObject | None:
        """Everything."""
        return event

    def saying(self, words: str, asked: Asked) -> Iterator[bytes]:
        """One candidate that stops."""
        content: Json = {"role": "model", "parts": [{"text": words}]}
        candidate: Json = {"content": content, "finishReason": "STOP", "index": 0}
        usage: Json = {"promptTokenCount": 0, "candidatesTokenCount": 0, "totalTokenCount": 0}
        answer = {"candidates": [candidate], "usageMetadata": usage, "modelVersion": asked.model}
        yield event_bytes(answer, whole=not asked.stream)

    def models(self, model: str) -> bytes:
        """A page of one."""
        return event_bytes({"models": [{"name": f"models/{model}"}]}, whole=True)

    def error(self, status: int, message: str) -> bytes:
        """Its envelope."""
        told: Json = {
            "code": status,
            "message": message,
            "status": _STATUSES.get(status, "INTERNAL"),
        }
        return event_bytes({"error": told}, whole=True)


class GoogleMeter:
    """Every event tells the usage so far; it is whole once a candidate has finished."""

    def __init__(self) -> None:
        self._told: JsonObject = {}
        self._finished = False

    def whole(self, answer: JsonObject) -> None:
        """Content in one piece."""
        self._told, self._finished = object_in(answer, "usageMetadata"), True

    def event(self, event: JsonObject) -> None:
        """The last usage told counts."""
        if usage := object_in(event, "usageMetadata"):
            self._told = usage
        ended = any(text_in(found, "finishReason") for found in objects_in(event, "candidates"))
        blocked = bool(object_in(event, "promptFeedback"))
        self._finished = self._finished or ended or blocked

    @property
    def usage(self) -> Usage | None:
        """None until the end was told."""
        if not self._told or not self._finished:
            return None
        read = count_in(self._told, "promptTokenCount")
        read += count_in(self._told, "toolUsePromptTokenCount")
        wrote = count_in(self._told, "candidatesTokenCount")
        wrote += count_in(self._told, "thoughtsTokenCount")
        cached = min(count_in(self._told, "cachedContentTokenCount"), read)
        return Usage(Tokens(read, wrote, cached))


def _config(body: JsonObject) -> JsonObject:
    return object_in(body, "generationConfig") or object_in(body, "generation_config")
