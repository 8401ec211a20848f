"""What is streamed arrives as it comes; who leaves and who breaks off is counted."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from django.conf import settings as now_settings
from pytest_django.fixtures import Settings

from farm.billing.ai_calls import settle_lost
from farm.billing.ai_rows import AiCall, AiDay, AiMonth
from tests.farm.relay.actors import EUR, an_agent, books, calling, until
from tests.farm.relay.processes import a_relay_process
from tests.farm.relay.test_dialects import ANTHROPIC, STREAMED, WHOLE, Way

ROOT = Path(__file__).resolve().parents[3]
ANTHROPIC_STREAM = next(way for way in STREAMED if way.provider == "anthropic")


@pytest.mark.parametrize("way", STREAMED, ids=str)
def test_the_first_byte_comes_before_the_last_is_made(
    relay: str, upstream: str, control: httpx.Client, way: Way
) -> None:
    control.post("/model/pace", json={"milliseconds": 300})
    cast = an_agent(upstream, way.provider)
    with calling(relay, cast) as client, client.stream("POST", way.path, json=way.body) as answer:
        chunks = answer.iter_bytes()
        assert next(chunks)
        # The call is still under way upstream: it was not counted yet.
        assert AiCall.objects.get(agent_uid=cast.agent.uid).state == AiCall.State.OPEN
        control.delete("/model/pace")
        assert b"".join(chunks)
    _, [call], _ = books(cast)
    assert call.state == AiCall.State.SEEN


def test_a_caller_who_leaves_pays_what_the_answer_cost(
    relay: str, upstream: str, control: httpx.Client
) -> None:
    way = ANTHROPIC_STREAM
    whole = an_agent(upstream, way.provider, name="Whole")
    cast = an_agent(upstream, way.provider)
    control.post("/model/pace", json={"milliseconds": 100})
    with calling(relay, cast) as client, client.stream("POST", way.path, json=way.body) as answer:
        next(answer.iter_bytes())
    control.delete("/model/pace")
    with calling(relay, whole) as client:
        client.post(way.path, json=way.body)
    _, [left], _ = books(cast)
    _, [stayed], _ = books(whole)
    assert left.state == AiCall.State.SEEN
    assert left.cost_micros == stayed.cost_micros


@pytest.mark.parametrize("way", STREAMED, ids=str)
def test_a_provider_who_breaks_off_is_counted_at_the_worst(
    relay: str, upstream: str, control: httpx.Client, way: Way
) -> None:
    control.post("/model/pace", json={"breaks_after": 2})
    cast = an_agent(upstream, way.provider)
    with calling(relay, cast) as client:
        answer = client.post(way.path, json=way.body)
    assert answer.status_code == 200
    assert "broke the connection off" in answer.text
    month, [call], [day] = books(cast)
    assert call.state == AiCall.State.UNSEEN
    assert month.spent_micros == call.cost_micros == call.reserved_micros == day.unseen_micros
    assert day.unseen_calls == 1


@pytest.mark.parametrize("status", [400, 404, 429, 500, 529])
def test_a_providers_refusal_costs_nothing(
    relay: str, upstream: str, control: httpx.Client, status: int
) -> None:
    order = {"status": status, "code": "overloaded_error", "message": f"later, {upstream}"}
    control.post("/faults", json={"kind": "model", "answer": order})
    cast = an_agent(upstream, "anthropic")
    with calling(relay, cast) as client:
        answer = client.post("/messages", json=ANTHROPIC.body)
    assert answer.status_code == status
    assert answer.json()["error"]["type"] == "overloaded_error"
    assert upstream not in answer.text
    month, [call], days = books(cast)
    assert call.state == AiCall.State.FREE
    assert (month.spent_micros, month.reserved_micros, days) == (0, 0, [])


@pytest.mark.parametrize("way", WHOLE[:5], ids=str)
def test_the_farms_key_refused_is_not_the_agents_business(
    relay: str, upstream: str, way: Way
) -> None:
    cast = an_agent("sk-sandbox-refused", way.provider)
    with calling(relay, cast) as client:
        answer = client.post(way.path, json=way.body)
    assert answer.status_code == 502
    assert "sk-sandb" not in answer.text
    assert "tell its owner" in answer.json()["error"]["message"]
    _, [call], _ = books(cast)
    assert call.state == AiCall.State.FREE


def test_nothing_listens(relay: str, upstream: str, settings: Settings) -> None:
    settings.MODEL_ENDPOINTS = {"openai": "http://127.0.0.1:9/v1"}
    cast = an_agent(upstream)
    with calling(relay, cast) as client:
        answer = client.post(WHOLE[0].path, json=WHOLE[0].body)
    assert answer.status_code == 502
    _, [call], _ = books(cast)
    assert call.state == AiCall.State.FREE


def test_an_address_inside_is_never_called(relay: str, upstream: str) -> None:
    """Whoever shares a key names its address, and must not make the farm call its own network."""
    with a_listener(lambda peer: None) as (port, called):
        for host in ("127.0.0.1", "localhost", "169.254.169.254", "10.0.0.1"):
            cast = an_agent(
                upstream, "compatible", name=f"At {host}", base_url=f"http://{host}:{port}/v1"
            )
            with calling(relay, cast) as client:
                answer = client.post("/chat/completions", json=WHOLE[0].body)
            assert answer.status_code == 502
            _, [call], _ = books(cast)
            assert call.state == AiCall.State.FREE
    assert called == []


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"", 502),
        (b"garbage\r\n\r\n", 502),
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
            502,
        ),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 300_000, 502),
        (HEAD + b"Content-Length: 7\r\n\r\nno json", 200),
        (
            HEAD
            + b'Content-Length: 46\r\n\r\ndata: {"usage":{"prompt_tokens":10000000000}}\n\n'[:70],
            200,
        ),
    ],
    ids=["silent", "garbage", "redirect", "header", "no json", "monstrous"],
)
def test_a_hostile_provider(
    relay: str, upstream: str, settings: Settings, answer: bytes, status: int
) -> None:
    def reply(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(answer)

    with a_listener(reply) as (port, _):
        settings.MODEL_ENDPOINTS = {"openai": f"http://127.0.0.1:{port}/v1"}
        cast = an_agent(upstream)
        with calling(relay, cast) as client:
            said = client.post(STREAMED[0].path, json=STREAMED[0].body)
    assert said.status_code == status
    month, [call], _ = books(cast)
    assert month.reserved_micros == 0
    assert call.state in (AiCall.State.UNSEEN, AiCall.State.FREE)
    assert month.spent_micros in (0, call.reserved_micros)


def test_a_provider_that_never_ends_is_ended(relay: str, upstream: str, settings: Settings) -> None:
    settings.RELAY_CALL_SECONDS = 1

    def drip(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(HEAD + b"\r\n")
        while peer.send(b": nothing yet\n\n"):
            threading.Event().wait(0.05)

    with a_listener(drip) as (port, _):
        settings.MODEL_ENDPOINTS = {"openai": f"http://127.0.0.1:{port}/v1"}
        cast = an_agent(upstream)
        with calling(relay, cast) as client:
            said = client.post(STREAMED[0].path, json=STREAMED[0].body)
    assert "took too long" in said.text
    _, [call], _ = books(cast)
    assert call.state == AiCall.State.UNSEEN


@pytest.mark.parametrize("moment", ["before the first byte", "in the middle"])
def test_a_relay_that_is_killed_loses_and_doubles_nothing(
    transactional_db: None,
    upstream: str,
    control: httpx.Client,
    tmp_path: Path,
    moment: str,
) -> None:
    cast = an_agent(upstream, "anthropic", budget=EUR)
    control.post("/model/pace", json={"milliseconds": 500})
    with a_relay_process(tmp_path) as (address, process):
        with calling(address, cast) as client:
            if moment == "in the middle":
                with client.stream("POST", "/messages", json=ANTHROPIC_STREAM.body) as answer:
                    next(answer.iter_bytes())
                    process.send_signal(signal.SIGKILL)
            else:
                control.post("/faults", json={"kind": "model", "delay": 3})
                asking = threading.Thread(target=_ask, args=(client,))
                asking.start()
                until(AiCall.objects.filter(state=AiCall.State.OPEN).exists)
                process.send_signal(signal.SIGKILL)
                asking.join()
        process.wait(30)
    control.delete("/model/pace")
    month = AiMonth.objects.get()
    call = AiCall.objects.get()
    assert call.state == AiCall.State.OPEN
    assert (month.spent_micros, month.reserved_micros) == (0, call.reserved_micros)
    later = datetime.now(UTC) + timedelta(seconds=now_settings.RELAY_CALL_SECONDS + 120)
    assert [settle_lost(later), settle_lost(later)] == [1, 0]
    month.refresh_from_db()
    assert (month.spent_micros, month.reserved_micros) == (call.reserved_micros, 0)
    assert AiDay.objects.get().unseen_micros == call.reserved_micros


def _ask(client: httpx.Client) -> None:
    with pytest.raises(httpx.TransportError):
        client.post("/messages", json=ANTHROPIC.body)


@contextmanager
def a_listener(
    reply: Callable[[socket.socket], None],
) -> Iterator[tuple[int, list[str]]]:
    """Something that takes connections and answers as it likes; its port and who came."""
    came: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    peer, address = server.accept()
                except OSError:
                    return
                came.append(str(address))
                with peer:
                    try:
                        reply(peer)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], came
        ended.set()
        server.shutdown(socket.SHUT_RDWR)
    thread.join()
