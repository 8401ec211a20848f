"""The model answers OpenAI's requests as OpenAI does."""

from __future__ import annotations

import httpx
import pytest

from farm.sandbox.wire import Json
from tests.sandbox.model.agent import stream
from tests.sandbox.running import RunningSandbox

HELLO: Json = {"model": "sandbox-1", "messages": [{"role": "user", "content": "hello you"}]}


def test_lists_the_model_for_a_good_key(model: httpx.Client) -> None:
    answer = model.get("/models")
    assert answer.status_code == 200
    assert [entry["id"] for entry in answer.json()["data"]] == ["sandbox-1"]


@pytest.mark.parametrize("authorization", ["Bearer sk-sandbox-refused", "Bearer x", "Basic x", ""])
def test_refuses_a_key_it_does_not_know(model: httpx.Client, authorization: str) -> None:
    headers = {"Authorization": authorization}
    for answer in (
        model.get("/models", headers=headers),
        model.post("/chat/completions", headers=headers, json=HELLO),
    ):
        assert answer.status_code == 401
        assert answer.json()["error"]["type"] == "invalid_request_error"
    assert "sk-sandbox-refused" not in answer.text


def test_a_key_without_credit_is_good_but_cannot_pay(
    model: httpx.Client, running: RunningSandbox
) -> None:
    headers = {"Authorization": f"Bearer {running.report.services.model.key_without_credit}"}
    assert model.get("/models", headers=headers).status_code == 200
    answer = model.post("/chat/completions", headers=headers, json=HELLO)
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "insufficient_quota"


def test_a_members_own_key_works(model: httpx.Client, running: RunningSandbox) -> None:
    headers = {"Authorization": f"Bearer {running.report.services.model.own_openai_key}"}
    assert model.post("/chat/completions", headers=headers, json=HELLO).status_code == 200


def test_answers_whole_with_usage(model: httpx.Client) -> None:
    body = model.post("/chat/completions", json=HELLO).json()
    choice = body["choices"][0]
    assert choice["finish_reason"] == "stop"
    assert "hello you" in choice["message"]["content"]
    usage = body["usage"]
    assert usage["prompt_tokens"] > 0
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_streams_the_same_text_with_usage(model: httpx.Client) -> None:
    whole = model.post("/chat/completions", json=HELLO).json()["choices"][0]["message"]["content"]
    said = stream(model, [{"role": "user", "content": "hello you"}])
    assert (said.text, said.finish) == (whole, "stop")
    assert said.completion_tokens > 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"model": "sandbox-1"},
        {"model": "sandbox-1", "messages": []},
        {"messages": [{"role": "user", "content": "hi"}]},
        {"model": "sandbox-1", "messages": [{"role": "wizard", "content": "hi"}]},
    ],
)
def test_says_400_to_what_it_cannot_read(model: httpx.Client, body: Json) -> None:
    answer = model.post("/chat/completions", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_a_fault_is_worded_as_openai_words_it(model: httpx.Client, control: httpx.Client) -> None:
    order: Json = {"status": 503, "code": "overloaded", "message": "later"}
    control.post("/faults", json={"kind": "model", "answer": order})
    refused = model.get("/models")
    assert refused.status_code == 503
    assert refused.json()["error"] == {
        "message": "later",
        "type": "overloaded",
        "param": None,
        "code": "overloaded",
    }
    assert model.get("/models").status_code == 200


def test_what_was_asked_is_logged_without_the_key(
    model: httpx.Client, control: httpx.Client, running: RunningSandbox
) -> None:
    model.post("/chat/completions", json=HELLO)
    last = control.get("/model/log").json()["requests"][-1]
    assert last["question"] == "hello you"
    assert "hello you" in last["reply"]
    assert running.report.services.model.key not in control.get("/model/log").text
