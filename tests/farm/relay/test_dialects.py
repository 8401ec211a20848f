"""Every dialect goes through the relay whole and streamed, with the real key, and is counted."""

from __future__ import annotations

import json
from dataclasses import dataclass

import httpx
import pytest

from farm.billing.ai_rows import AiCall
from farm.sandbox.wire import Json
from tests.farm.relay.actors import an_agent, books, calling

MESSAGES: Json = [{"role": "user", "content": "hello you"}]
CONTENTS: Json = [{"role": "user", "parts": [{"text": "hello you"}]}]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to ask a provider."""

    provider: str
    path: str
    body: dict[str, Json]

    def __str__(self) -> str:
        return f"{self.provider}{self.path}"


def _chat(provider: str, model: str) -> Way:
    return Way(provider, "/chat/completions", {"model": model, "messages": MESSAGES})


ANTHROPIC = Way(
    "anthropic",
    "/messages",
    {"model": "claude-sonnet-4-6", "max_tokens": 500, "messages": MESSAGES},
)
WHOLE = (
    _chat("openai", "gpt-5.4"),
    _chat("openrouter", "anthropic/claude-sonnet-4.6"),
    _chat("mistral", "mistral-large-latest"),
    Way("openai", "/responses", {"model": "gpt-5.4", "input": "hello you"}),
    ANTHROPIC,
    Way("google", "/models/gemini-3.1-pro-preview:generateContent", {"contents": CONTENTS}),
)
STREAMED = (
    *(Way(way.provider, way.path, {**way.body, "stream": True}) for way in WHOLE[:-1]),
    Way(
        "google",
        "/models/gemini-3.1-pro-preview:streamGenerateContent?alt=sse",
        {"contents": CONTENTS},
    ),
)


@pytest.mark.parametrize("way", WHOLE, ids=str)
def test_whole(relay: str, upstream: str, control: httpx.Client, way: Way) -> None:
    cast = an_agent(upstream, way.provider)
    with calling(relay, cast) as client:
        answer = client.post(way.path, json=way.body)
    assert answer.status_code == 200, answer.text
    assert "hello you" in said_by(answer.json())
    assert control.get("/model/log").json()["requests"][-1]["key"] == upstream[-4:]
    month, [call], [day] = books(cast)
    assert call.state == AiCall.State.SEEN
    assert month.spent_micros == call.cost_micros == day.cost_micros > 0
    assert month.reserved_micros == 0
    assert call.reserved_micros > call.cost_micros
    assert (day.input_tokens, day.output_tokens) == (call.input_tokens, call.output_tokens)
    assert (day.cost_centre, day.person_email) == ("R&D", "alice@example.org")


@pytest.mark.parametrize("way", STREAMED, ids=str)
def test_streamed(relay: str, upstream: str, way: Way) -> None:
    whole = an_agent(upstream, way.provider, name="Whole")
    cast = an_agent(upstream, way.provider)
    with calling(relay, cast) as client:
        answer = client.post(way.path, json=way.body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "hello you" in "".join(said_by(event) for event in events(answer.text))
    _, [streamed], _ = books(cast)
    body = {name: value for name, value in way.body.items() if name != "stream"}
    with calling(relay, whole) as client:
        client.post(way.path.replace("streamGenerateContent?alt=sse", "generateContent"), json=body)
    _, [at_once], _ = books(whole)
    assert streamed.state == AiCall.State.SEEN
    assert streamed.cost_micros == at_once.cost_micros > 0


def test_a_stream_shows_usage_only_to_who_asked(relay: str, upstream: str) -> None:
    cast = an_agent(upstream)
    asked = {"stream_options": {"include_usage": True}}
    way = STREAMED[0]
    with calling(relay, cast) as client:
        hidden = events(client.post(way.path, json=way.body).text)
        shown = events(client.post(way.path, json={**way.body, **asked}).text)
    assert all("usage" not in event for event in hidden)
    assert shown[-1]["usage"]["total_tokens"] > 0
    assert len(shown) == len(hidden) + 1
    _, calls, _ = books(cast)
    assert calls[0].cost_micros == calls[1].cost_micros > 0


def test_the_limit_of_an_answer_is_the_callers_own(
    relay: str, upstream: str, control: httpx.Client
) -> None:
    cast = an_agent(upstream, "anthropic")
    with calling(relay, cast) as client:
        client.post("/messages", json=ANTHROPIC.body)
        client.post("/messages", json={**ANTHROPIC.body, "max_tokens": 1000})
    _, [short, long], _ = books(cast)
    difference = long.reserved_micros - short.reserved_micros
    # 500 tokens at 15 USD a million, in euros at 0.90; one byte more of body at 6 USD.
    assert 6750 <= difference <= 6750 + 12


def test_models_are_listed_without_asking_anybody(
    relay: str, upstream: str, control: httpx.Client
) -> None:
    cast = an_agent(upstream)
    control.delete("/model/log")
    with calling(relay, cast) as client:
        assert [found["id"] for found in client.get("/models").json()["data"]] == ["gpt-5.4"]
    assert control.get("/model/log").json()["requests"] == []


def events(text: str) -> list[dict[str, dict[str, int]]]:
    """The objects of a stream of events."""
    data = [line[5:].strip() for line in text.splitlines() if line.startswith("data:")]
    return [json.loads(line) for line in data if line != "[DONE]"]


def said_by(answer: object) -> str:
    """Every text of a model anywhere in an answer."""
    if isinstance(answer, dict):
        own = [
            str(value)
            for name, value in answer.items()
            if name in ("text", "content", "delta") and isinstance(value, str)
        ]
        return "".join(own) + "".join(said_by(value) for value in answer.values())
    if isinstance(answer, list):
        return "".join(said_by(value) for value in answer)
    return ""
