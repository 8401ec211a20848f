"""OpenAI's chat completions, which OpenRouter, Mistral and many others speak too."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from farm.billing.ai_prices import Tokens
from farm.relay.dialects.base import Asked, Usage
from farm.relay.dialects.events import event_bytes
from farm.relay.dialects.openai import OpenAIHead, demand_usual_tier
from farm.relay.reading import demand_one_answer
from farm.relay.wire import Json, JsonObject, count_in, limit_in, object_in, text_in

_OURS = ("max_tokens", "max_completion_tokens", "stream_options")
MOST_DOLLARS = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Habits:
    """In what the speakers of this dialect differ.

    `limit` is their word for how long an answer may be. With `asks_usage` a stream tells its usage
    when asked with stream_options; without, it tells it anyway, and refuses that wish. With
    `tells_cost` they say what a call cost, when asked.
    """

    limit: str = "max_tokens"
    asks_usage: bool = True
    tells_cost: bool = False


class Chat(OpenAIHead):
    """How callers of chat completions ask, and how they are answered."""

    def __init__(self, habits: Habits) -> None:
        self._habits = habits

    def asked(self, body: JsonObject, _tail: str) -> Asked:
        """A completion asked for."""
        demand_one_answer(body, "n", "best_of")
        demand_usual_tier(body)
        limits = (limit_in(body, "max_completion_tokens"), limit_in(body, "max_tokens"))
        wanted = object_in(body, "stream_options").get("include_usage") is True
        return Asked(
            model=text_in(body, "model"),
            body=body,
            stream=body.get("stream") is True,
            most_written=next((limit for limit in limits if limit is not None), None),
            usage_wanted=wanted or not self._habits.asks_usage,
        )

    def body(self, asked: Asked, most_written: int) -> JsonObject:
        """The same with its limit, and with the wish to be told the usage."""
        body = {name: value for name, value in asked.body.items() if name not in _OURS}
        body[self._habits.limit] = most_written
        if asked.stream and self._habits.asks_usage:
            options = object_in(asked.body, "stream_options")
            body["stream_options"] = {**options, "include_usage": True}
        if self._habits.tells_cost:
            body["usage"] = {"include": True}
        return body

    def path(self, _asked: Asked) -> str:
        """One for all models."""
        return "/chat/completions"

    def meter(self) -> ChatMeter:
        """A fresh one."""
        return ChatMeter(tells_cost=self._habits.tells_cost)

    def shown(self, asked: Asked, event: JsonObject) -> JsonObject | None:
        """Without the usage that the caller did not ask for: its own event, and null elsewhere."""
        if asked.usage_wanted or "usage" not in event:
            return event
        if event.get("usage") is not None and not event.get("choices"):
            return None
        return {name: value for name, value in event.items() if name != "usage"}

    def saying(self, words: str, asked: Asked) -> Iterator[bytes]:
        """A completion that stops."""
        answer = _Answer(asked, f"chatcmpl-{secrets.token_hex(12)}", int(time.time()))
        if not asked.stream:
            yield event_bytes(answer.whole(words), whole=True)
            return
        yield from (event_bytes(event) for event in answer.events(words))
        yield b"data: [DONE]\n\n"


class ChatMeter:
    """The usage stands in the answer, or in an event near the end of the stream."""

    def __init__(self, *, tells_cost: bool) -> None:
        self._told: JsonObject = {}
        self._tells_cost = tells_cost

    def whole(self, answer: JsonObject) -> None:
        """A completion in one piece."""
        self._told = object_in(answer, "usage")

    def event(self, event: JsonObject) -> None:
        """The last one told counts."""
        if usage := object_in(event, "usage"):
            self._told = usage

    @property
    def usage(self) -> Usage | None:
        """None until it was told."""
        if "prompt_tokens" not in self._told and "completion_tokens" not in self._told:
            return None
        details = object_in(self._told, "prompt_tokens_details")
        read = count_in(self._told, "prompt_tokens")
        tokens = Tokens(
            read=read,
            wrote=count_in(self._told, "completion_tokens"),
            cached=min(count_in(details, "cached_tokens"), read),
        )
        return Usage(tokens, _dollars(self._told.get("cost")) if self._tells_cost else None)


def _dollars(cost: Json) -> Decimal | None:
    if not isinstance(cost, int | float) or isinstance(cost, bool):
        return None
    try:
        dollars = Decimal(str(cost))
    except InvalidOperation:
        return None
    return dollars if dollars.is_finite() and 0 <= dollars <= MOST_DOLLARS else None


@dataclass(frozen=True, slots=True)
class _Answer:
    """The same id, time and model in every piece."""

    asked: Asked
    id: str
    created: int

    def whole(self, words: str) -> JsonObject:
        """In one piece."""
        message: Json = {"role": "assistant", "content": words}
        choice: Json = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        usage = {"usage": _nothing()}
        return {**self._envelope("chat.completion", [choice]), **usage}

    def events(self, words: str) -> Iterator[JsonObject]:
        """As a stream."""
        yield self._chunk({"role": "assistant", "content": ""}, None)
        yield self._chunk({"content": words}, None)
        yield self._chunk({}, "stop")
        if object_in(self.asked.body, "stream_options").get("include_usage") is True:
            yield {**self._envelope("chat.completion.chunk", []), "usage": _nothing()}

    def _chunk(self, delta: Json, finish: str | None) -> JsonObject:
        choice: Json = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return self._envelope("chat.completion.chunk", [choice])

    def _envelope(self, kind: str, choices: Sequence[Json]) -> dict[str, Json]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.asked.model,
            "choices": choices,
        }


def _nothing() -> Json:
    return {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
