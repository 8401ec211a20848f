"""Whatever is sent to the sandbox's services, they answer: never a 500, never a silence."""

from __future__ import annotations

import json
import ssl

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farm.sandbox.wire import Json
from tests.sandbox.running import RunningSandbox

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
TELEGRAM = st.dictionaries(
    st.sampled_from(["chat_id", "text", "offset", "limit", "message_id", "rich_message"]), ANYTHING
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool", "system"]), "content": ANYTHING},
    optional={"tool_calls": ANYTHING},
)
ASKED = st.fixed_dictionaries(
    {"model": ANYTHING, "max_tokens": ANYTHING, "messages": st.lists(MESSAGE, max_size=4)},
    optional={"tools": ANYTHING, "stream": ANYTHING, "stream_options": ANYTHING},
)
CONTROL = st.dictionaries(
    st.sampled_from(["bot", "from", "name", "text", "username", "turns", "speed"]), ANYTHING
)
# Without it every request reads all certificates of the machine, for plain HTTP.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
OFTEN = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@OFTEN
@given(method=st.sampled_from(["sendMessage", "getUpdates", "editMessageText"]), body=TELEGRAM)
def test_telegram(running: RunningSandbox, method: str, body: Json) -> None:
    telegram = running.report.services.telegram
    answer = _post(f"{telegram.endpoint}/bot{telegram.bot_token}/{method}", body)
    assert answer.status_code in (200, 400, 403)
    assert answer.json()["ok"] is (answer.status_code == 200)


@OFTEN
@given(path=st.sampled_from(["/v1/chat/completions", "/v1/messages"]), body=ASKED)
def test_model(running: RunningSandbox, path: str, body: Json) -> None:
    model = running.report.services.model
    headers = {"Authorization": f"Bearer {model.key}"}
    if path == "/v1/messages":
        headers = {"x-api-key": model.key}
    answer = _post(f"{model.anthropic_endpoint}{path}", body, headers)
    assert answer.status_code in (200, 400)


@OFTEN
@given(
    path=st.sampled_from(["/telegram/bots", "/telegram/messages", "/model/script"]), body=CONTROL
)
def test_control(running: RunningSandbox, path: str, body: Json) -> None:
    answer = _post(f"{running.control}{path}", body)
    assert answer.status_code in (201, 422)
    httpx.delete(f"{running.control}/model/script", verify=NO_TLS)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 200_000, b'"x"', b"null"])
def test_no_json_at_all(running: RunningSandbox, body: bytes) -> None:
    services = running.report.services
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {services.model.key}"}
    telegram = f"{services.telegram.endpoint}/bot{services.telegram.bot_token}/sendMessage"
    for url in (
        telegram,
        f"{services.model.endpoint}/chat/completions",
        f"{running.control}/telegram/messages",
    ):
        answer = httpx.post(url, content=body, headers=headers, timeout=30)
        assert answer.status_code in (400, 422)


def _post(url: str, body: Json, headers: dict[str, str] | None = None) -> httpx.Response:
    # By hand: half a character is legal in JSON's escapes only.
    content = json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **(headers or {})}
    return httpx.post(url, content=content, headers=sent, timeout=30, verify=NO_TLS)
