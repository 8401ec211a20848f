"""Anthropic's Messages API."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping

from farm.billing.ai_prices import Tokens
from farm.relay.dialects.base import Asked, Usage
from farm.relay.dialects.events import event_bytes
from farm.relay.wire import (
    BadCall,
    Json,
    JsonObject,
    count_in,
    limit_in,
    object_in,
    text_in,
)

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
}
_CARRIED = ("anthropic-version", "anthropic-beta")


class Anthropic:
    """How Anthropic's callers ask, and how it answers."""

    kind = "text/event-stream"

    def key(self, headers: Mapping[str, str], _query: Mapping[str, str]) -> str:
        """In x-api-key."""
        return headers.get("x-api-key", "")

    def asked(self, body: JsonObject, _tail: str) -> Asked:
        """A message asked for."""
        thinking = count_in(object_in(body, "thinking"), "budget_tokens")
        if text_in(body, "service_tier") not in ("", "auto", "standard_only"):
            raise BadCall("The relay does not carry this service_tier.")
        if body.get("speed") or body.get("inference_geo"):
            raise BadCall("The relay carries the usual speed and place only.")
        return Asked(
            model=text_in(body, "model"),
            body=body,
            stream=body.get("stream") is True,
            most_written=limit_in(body, "max_tokens"),
            least_written=thinking + 1 if thinking else 1,
        )

    def body(self, asked: Asked, most_written: int) -> JsonObject:
        """The same with its limit."""
        return {**asked.body, "max_tokens": most_written}

    def path(self, _asked: Asked) -> str:
        """One for all models."""
        return "/messages"

    def headers(self, key: str, given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """The key, the version of the API and its trials."""
        yield "x-api-key", key
        yield from ((name, given[name]) for name in _CARRIED if name in given)
        if "anthropic-version" not in given:
            yield "anthropic-version", "2023-06-01"

    def meter(self) -> AnthropicMeter:
        """A fresh one."""
        return AnthropicMeter()

    def shown(self, _asked: Asked, event: JsonObject) -> JsonObject | None:
        """Everything."""
        return event

    def saying(self, words: str, asked: Asked) -> Iterator[bytes]:
        """A message that ends its turn."""
        block: Json = {"type": "text", "text": words}
        envelope: dict[str, Json] = {
            "id": f"msg_{secrets.token_hex(12)}",
            "type": "message",
            "role": "assistant",
            "model": asked.model,
            "stop_sequence": None,
        }
        if not asked.stream:
            yield event_bytes({**envelope, "content": [block], **_end()}, whole=True)
            return
        for event in _events(envelope, words):
            yield event_bytes(event, name=str(event["type"]))

    def models(self, model: str) -> bytes:
        """A page of one."""
        one: Json = {"type": "model", "id": model, "display_name": model}
        page: dict[str, Json] = {
            "data": [one],
            "has_more": False,
            "first_id": model,
            "last_id": model,
        }
        return event_bytes(page, whole=True)

    def error(self, status: int, message: str) -> bytes:
        """Its envelope."""
        told = {"type": _KINDS.get(status, "api_error"), "message": message}
        return event_bytes({"type": "error", "error": told}, whole=True)


class AnthropicMeter:
    """What was read is told at the start, what was written at the end."""

    def __init__(self) -> None:
        self._read: dict[str, Json] = {}
        self._wrote: int | None = None

    def whole(self, answer: JsonObject) -> None:
        """A message in one piece."""
        if usage := object_in(answer, "usage"):
            self._read = dict(usage)
            self._wrote = count_in(usage, "output_tokens")

    def event(self, event: JsonObject) -> None:
        """The first event tells what was read, the last but one what was written."""
        if event.get("type") == "message_start":
            self._read = dict(object_in(object_in(event, "message"), "usage"))
        if event.get("type") == "message_delta" and (usage := object_in(event, "usage")):
            self._read |= {name: value for name, value in usage.items() if value is not None}
            self._wrote = count_in(usage, "output_tokens")

    @property
    def usage(self) -> Usage | None:
        """None until the end was told."""
        if self._wrote is None or not self._read:
            return None
        cached = count_in(self._read, "cache_read_input_tokens")
        stored = count_in(self._read, "cache_creation_input_tokens")
        kept = count_in(object_in(self._read, "cache_creation"), "ephemeral_1h_input_tokens")
        return Usage(
            Tokens(
                read=count_in(self._read, "input_tokens") + cached + stored,
                wrote=self._wrote,
                cached=cached,
                written_to_cache=stored,
                kept_an_hour=min(kept, stored),
            )
        )


def _end() -> dict[str, Json]:
    return {"stop_reason": "end_turn", "usage": {"input_tokens": 0, "output_tokens": 0}}


def _events(envelope: JsonObject, words: str) -> Iterator[JsonObject]:
    usage: Json = {"input_tokens": 0, "output_tokens": 0}
    started: Json = {**envelope, "content": [], "stop_reason": None, "usage": usage}
    yield {"type": "message_start", "message": started}
    empty: Json = {"type": "text", "text": ""}
    yield {"type": "content_block_start", "index": 0, "content_block": empty}
    delta: Json = {"type": "text_delta", "text": words}
    yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    stop: Json = {"stop_reason": "end_turn", "stop_sequence": None}
    yield {"type": "message_delta", "delta": stop, "usage": {"output_tokens": 0}}
    yield {"type": "message_stop"}
