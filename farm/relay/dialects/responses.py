"""OpenAI's Responses API."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator

from farm.billing.ai_prices import Tokens
from farm.relay.dialects.base import Asked, Usage
from farm.relay.dialects.events import event_bytes
from farm.relay.dialects.openai import OpenAIHead, demand_usual_tier
from farm.relay.wire import Json, JsonObject, count_in, limit_in, object_in, text_in

_LAST = ("response.completed", "response.incomplete", "response.failed")
_LEAST = 16
"""OpenAI refuses a shorter limit here."""


class Responses(OpenAIHead):
    """How callers of responses ask, and how they are answered."""

    def asked(self, body: JsonObject, _tail: str) -> Asked:
        """A response asked for."""
        demand_usual_tier(body)
        return Asked(
            model=text_in(body, "model"),
            body=body,
            stream=body.get("stream") is True,
            most_written=limit_in(body, "max_output_tokens"),
            least_written=_LEAST,
        )

    def body(self, asked: Asked, most_written: int) -> JsonObject:
        """The same with its limit; nothing is kept at the provider, where nobody could read it."""
        return {**asked.body, "max_output_tokens": most_written, "store": False}

    def path(self, _asked: Asked) -> str:
        """One for all models."""
        return "/responses"

    def meter(self) -> ResponsesMeter:
        """A fresh one."""
        return ResponsesMeter()

    def shown(self, _asked: Asked, event: JsonObject) -> JsonObject | None:
        """Everything."""
        return event

    def saying(self, words: str, asked: Asked) -> Iterator[bytes]:
        """A response that is complete."""
        envelope: dict[str, Json] = {
            "id": f"resp_{secrets.token_hex(12)}",
            "object": "response",
            "created_at": int(time.time()),
            "model": asked.model,
            "error": None,
            "incomplete_details": None,
            "tools": [],
        }
        if not asked.stream:
            yield event_bytes(_completed(envelope, words), whole=True)
            return
        for number, event in enumerate(_events(envelope, words)):
            yield event_bytes({**event, "sequence_number": number}, name=str(event["type"]))


class ResponsesMeter:
    """The usage stands in the response, which the last event carries whole."""

    def __init__(self) -> None:
        self._told: JsonObject = {}

    def whole(self, answer: JsonObject) -> None:
        """A response in one piece."""
        self._told = object_in(answer, "usage")

    def event(self, event: JsonObject) -> None:
        """Only the last event tells."""
        if event.get("type") in _LAST:
            self._told = object_in(object_in(event, "response"), "usage")

    @property
    def usage(self) -> Usage | None:
        """None until it was told."""
        if not self._told:
            return None
        read = count_in(self._told, "input_tokens")
        details = object_in(self._told, "input_tokens_details")
        cached = min(count_in(details, "cached_tokens"), read)
        return Usage(Tokens(read, count_in(self._told, "output_tokens"), cached))


def _message(words: str, status: str) -> dict[str, Json]:
    part: Json = {"type": "output_text", "text": words, "annotations": []}
    return {
        "id": "msg_of_the_relay",
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": [part] if words else [],
    }


def _completed(envelope: JsonObject, words: str) -> JsonObject:
    usage: Json = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    output: Json = [_message(words, "completed")]
    return {**envelope, "status": "completed", "output": output, "usage": usage}


def _events(envelope: JsonObject, words: str) -> Iterator[JsonObject]:
    begun: Json = {**envelope, "status": "in_progress", "output": []}
    yield {"type": "response.created", "response": begun}
    begun_item = _message("", "in_progress")
    yield {"type": "response.output_item.added", "output_index": 0, "item": begun_item}
    at: dict[str, Json] = {"item_id": "msg_of_the_relay", "output_index": 0, "content_index": 0}
    empty: Json = {"type": "output_text", "text": "", "annotations": []}
    whole: Json = {"type": "output_text", "text": words, "annotations": []}
    yield {"type": "response.content_part.added", **at, "part": empty}
    yield {"type": "response.output_text.delta", **at, "delta": words}
    yield {"type": "response.output_text.done", **at, "text": words}
    yield {"type": "response.content_part.done", **at, "part": whole}
    done = _message(words, "completed")
    yield {"type": "response.output_item.done", "output_index": 0, "item": done}
    yield {"type": "response.completed", "response": _completed(envelope, words)}
