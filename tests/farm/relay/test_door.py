"""Who may call, from where, what is carried, and which paths there are."""

from __future__ import annotations

import httpx
import pytest
from pytest_django.fixtures import Settings

from farm.agents.models import Agent, Server, ServerPhase
from farm.agents.relay_keys import new_relay_key
from farm.billing.ai_rows import AiCall
from farm.sandbox.wire import Json
from tests.farm.relay.actors import a_machine, an_agent, calling, shown
from tests.farm.relay.test_dialects import ANTHROPIC, WHOLE, Way

CHAT = WHOLE[0]


@pytest.mark.parametrize("way", WHOLE, ids=str)
def test_nobody_without_a_living_key(relay: str, upstream: str, way: Way) -> None:
    cast = an_agent(upstream, way.provider)
    with calling(relay, cast) as client:
        for key in ("none", upstream, new_relay_key(), cast.agent.relay_key[:-1]):
            answer = client.post(way.path, json=way.body, headers=shown(way.provider, key))
            assert answer.status_code == 401, key
            assert answer.json()["error"]["message"]
    assert not AiCall.objects.exists()


def test_a_key_works_from_its_own_machine_only(relay: str, upstream: str) -> None:
    cast = an_agent(upstream, address="127.0.0.9")
    other = an_agent(upstream, name="Bob", address="127.0.0.10")
    for address, status in (("127.0.0.9", 200), ("127.0.0.10", 403), ("127.0.0.1", 403)):
        with calling(relay, cast, address=address) as client:
            forged = {"X-Forwarded-For": "127.0.0.9", "Forwarded": "for=127.0.0.9"}
            answer = client.post(CHAT.path, json=CHAT.body, headers=forged)
            assert answer.status_code == status
    a_machine(cast.agent, "127.0.0.11")
    for address, status in (("127.0.0.9", 403), ("127.0.0.11", 200)):
        with calling(relay, cast, address=address) as client:
            assert client.post(CHAT.path, json=CHAT.body).status_code == status
    assert not AiCall.objects.filter(agent_uid=other.agent.uid).exists()


def test_behind_a_proxy_its_one_header_says_who_calls(
    relay: str, upstream: str, settings: Settings
) -> None:
    settings.RELAY_CLIENT_HEADER = "X-Farm-Client"
    cast = an_agent(upstream, address="203.0.113.7")
    with calling(relay, cast) as client:
        for client_is, status in (("203.0.113.7", 200), ("203.0.113.8", 403), ("", 403)):
            answer = client.post(CHAT.path, json=CHAT.body, headers={"X-Farm-Client": client_is})
            assert answer.status_code == status


@pytest.mark.parametrize("change", ["distrusted", "leaving", "gone", "lost"])
def test_a_machine_that_is_no_longer_trusted_is_not_served(
    relay: str, upstream: str, change: str
) -> None:
    cast = an_agent(upstream)
    server = Server.objects.get(agent=cast.agent)
    if change == "distrusted":
        server.distrusted_at = cast.agent.created_at
    elif change == "leaving":
        server.wanted_gone = True
    else:
        server.phase = ServerPhase(change)
    server.save()
    with calling(relay, cast) as client:
        assert client.post(CHAT.path, json=CHAT.body).status_code == 403


def test_an_agent_that_is_being_deleted_is_not_served(relay: str, upstream: str) -> None:
    cast = an_agent(upstream)
    Agent.objects.update(wanted=Agent.Wanted.DELETED)
    with calling(relay, cast) as client:
        assert client.post(CHAT.path, json=CHAT.body).status_code == 401


def test_a_shared_key_that_was_revoked_serves_nobody(relay: str, upstream: str) -> None:
    cast = an_agent(upstream)
    cast.shared.revoked_at = cast.agent.created_at
    cast.shared.save()
    with calling(relay, cast) as client:
        answer = client.post(CHAT.path, json=CHAT.body)
    assert answer.status_code == 403
    assert "revoked" in answer.json()["error"]["message"]


def test_a_key_opens_its_own_provider_only(relay: str, upstream: str) -> None:
    cast = an_agent(upstream, "anthropic")
    headers = shown("openai", cast.agent.relay_key)
    answer = httpx.post(f"{relay}/openai/v1/chat/completions", json=CHAT.body, headers=headers)
    assert answer.status_code == 404
    assert "anthropic" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "path",
    [
        "/openai/v1/files",
        "/openai/v1/organization/admin_api_keys",
        "/openai/v1/embeddings",
        "/openai/v1/chat/completions/../../files",
        "/openai/v1/chat/completions/abc",
        "/openai/v1/images/generations",
        "/anthropic/v1/messages/batches",
        "/anthropic/v1/organizations/me",
        "/openrouter/v1/credits",
        "/compatible/v1/load_lora_adapter",
        "/unknown/v1/chat/completions",
        "/",
    ],
)
def test_no_other_path_leads_anywhere(
    relay: str, upstream: str, control: httpx.Client, path: str
) -> None:
    cast = an_agent(upstream)
    control.delete("/model/log")
    headers = shown("openai", cast.agent.relay_key)
    for method in ("GET", "POST", "DELETE", "PUT"):
        answer = httpx.request(method, relay + path, headers=headers)
        assert answer.status_code in (404, 405)
    assert control.get("/model/log").json()["requests"] == []


@pytest.mark.parametrize(
    "tail",
    [
        "files",
        "models/x:countTokens",
        "models/x:batchGenerateContent",
        "models/../files:generateContent",
        "models/a/b:generateContent",
        "models/x:generateContent/extra",
        "tunedModels/x:generateContent",
        "models/x%3FalT=sse:generateContent",
    ],
)
def test_google_has_two_verbs(relay: str, upstream: str, tail: str) -> None:
    cast = an_agent(upstream, "google", model="gemini-3.1-pro-preview")
    with calling(relay, cast) as client:
        answer = client.post(f"/{tail}", json=WHOLE[-1].body)
    assert answer.status_code in (400, 404)
    assert not AiCall.objects.exists()


def test_a_body_is_bounded(relay: str, upstream: str) -> None:
    cast = an_agent(upstream)
    piece = b"x" * (1024 * 1024)
    with calling(relay, cast) as client:
        answer = client.post(CHAT.path, content=(piece for _ in range(40)))
        assert answer.status_code == 413
        assert client.post(CHAT.path, content=b"[" * 100_000).status_code == 400
        assert client.post(CHAT.path, content=b"\xff\xfe").status_code == 400
        assert client.post(CHAT.path, json={"messages": []}).status_code == 400
    assert not AiCall.objects.exists()


_PICTURE: Json = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo"}}


@pytest.mark.parametrize(
    "more",
    [
        {"n": 2},
        {"service_tier": "priority"},
        {"tools": [{"type": "web_search"}]},
        {"web_search_options": {"search_context_size": "high"}},
        {"plugins": [{"id": "web"}]},
        {"models": ["a-dearer-one"]},
        {"max_tokens": -1},
        {"max_tokens": True},
        {"max_completion_tokens": "many"},
        {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]},
    ],
    ids=str,
)
def test_what_cannot_be_priced_is_not_carried(
    relay: str, upstream: str, control: httpx.Client, more: dict[str, Json]
) -> None:
    cast = an_agent(upstream)
    control.delete("/model/log")
    with calling(relay, cast) as client:
        answer = client.post(CHAT.path, json={**CHAT.body, **more})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]
    assert control.get("/model/log").json()["requests"] == []


def test_tools_that_the_caller_runs_and_pictures_are_carried(relay: str, upstream: str) -> None:
    cast = an_agent(upstream)
    tool: Json = {"type": "function", "function": {"name": "ls", "parameters": {}}}
    content: Json = [{"type": "text", "text": "hello"}, _PICTURE]
    body = {**CHAT.body, "tools": [tool], "messages": [{"role": "user", "content": content}]}
    with calling(relay, cast) as client:
        assert client.post(CHAT.path, json=body).status_code == 200
    anthropic = an_agent(upstream, "anthropic", name="Ann")
    own: Json = {"name": "ls", "description": "lists", "input_schema": {"type": "object"}}
    with calling(relay, anthropic) as client:
        answer = client.post("/messages", json={**ANTHROPIC.body, "tools": [own]})
        assert answer.status_code == 200
        server: Json = {"type": "web_search_20250305", "name": "web_search"}
        answer = client.post("/messages", json={**ANTHROPIC.body, "tools": [server]})
        assert answer.status_code == 400
