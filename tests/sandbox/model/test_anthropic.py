"""The model answers Anthropic's requests as Anthropic does."""

from __future__ import annotations

import json
from typing import TypedDict

import httpx

from farm.sandbox.wire import Json
from tests.sandbox.running import RunningSandbox

HELLO: Json = {
    "model": "claude-sonnet-4-6",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "hello you"}],
}
WRITE_TOOL: Json = {
    "name": "write",
    "input_schema": {"type": "object", "properties": {"file_path": {"type": "string"}}},
}
READ_TOOL: Json = {"name": "read", "input_schema": {"type": "object", "properties": {}}}


class Event(TypedDict):
    """A server-sent event; a field is there where its type has it."""

    type: str
    delta: dict[str, str]
    content_block: dict[str, str]


def client(running: RunningSandbox, key: str) -> httpx.Client:
    """A client as Anthropic's SDK makes requests."""
    endpoint = running.report.services.model.anthropic_endpoint
    headers = {"x-api-key": key, "anthropic-version": "2023-06-01"}
    return httpx.Client(base_url=endpoint, headers=headers, timeout=30)


def test_checks_a_key(running: RunningSandbox) -> None:
    keys = running.report.services.model
    with client(running, keys.own_anthropic_key) as good:
        assert good.get("/v1/models").json()["data"][0]["type"] == "model"
    with client(running, keys.refused_key) as bad:
        refused = bad.get("/v1/models")
    assert refused.status_code == 401
    assert refused.json()["error"]["type"] == "authentication_error"


def test_a_key_without_credit_cannot_pay(running: RunningSandbox) -> None:
    with client(running, running.report.services.model.key_without_credit) as poor:
        assert poor.get("/v1/models").status_code == 200
        answer = poor.post("/v1/messages", json=HELLO)
    assert answer.status_code == 400
    assert "credit balance is too low" in answer.json()["error"]["message"]


def test_answers_whole(running: RunningSandbox) -> None:
    with client(running, running.report.services.model.own_anthropic_key) as own:
        body = own.post("/v1/messages", json=HELLO).json()
    assert body["stop_reason"] == "end_turn"
    assert "hello you" in body["content"][0]["text"]
    assert body["usage"]["input_tokens"] > 0


def test_says_400_without_max_tokens(running: RunningSandbox) -> None:
    with client(running, running.report.services.model.own_anthropic_key) as own:
        answer = own.post("/v1/messages", json={"model": "claude-sonnet-4-6"})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_streams_a_text(running: RunningSandbox) -> None:
    events = _events(running, {**json.loads(json.dumps(HELLO)), "stream": True})
    assert events[0]["type"] == "message_start"
    assert events[-1]["type"] == "message_stop"
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    assert "hello you" in "".join(delta["text"] for delta in deltas)


def test_streams_a_tool_call_and_takes_its_result(running: RunningSandbox) -> None:
    question: Json = {"role": "user", "content": "write a file a.txt saying hello and read it back"}
    request = {**json.loads(json.dumps(HELLO)), "stream": True, "tools": [WRITE_TOOL, READ_TOOL]}
    messages: list[Json] = [question]
    names = []
    for _ in range(2):
        events = _events(running, request | {"messages": messages})
        start = next(event for event in events if event["type"] == "content_block_start")
        block = start["content_block"]
        names.append(block["name"])
        partial = "".join(
            event["delta"]["partial_json"]
            for event in events
            if event["type"] == "content_block_delta"
        )
        call: Json = {**block, "input": json.loads(partial)}
        result: Json = {"type": "tool_result", "tool_use_id": block["id"], "content": "hello"}
        messages += [
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [result]},
        ]
    assert names == ["write", "read"]
    with client(running, running.report.services.model.own_anthropic_key) as own:
        last = own.post("/v1/messages", json=request | {"messages": messages, "stream": False})
    assert "hello" in last.json()["content"][0]["text"]


def _events(running: RunningSandbox, body: Json) -> list[Event]:
    key = running.report.services.model.own_anthropic_key
    with client(running, key) as own, own.stream("POST", "/v1/messages", json=body) as response:
        assert response.status_code == 200, response.read()
        lines = [line for line in response.iter_lines() if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]
