"""The gate: what strikes the n-th outside call, before its effect or after it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
import requests
from hcloud import APIException, Client

from farm.sandbox.wire import Json
from tests.sandbox.hetzner.cloud_at_work import CloudAtWork, eventually
from tests.sandbox.hetzner.test_servers import order, running


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits to be killed."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize(("when", "servers"), [("before", 0), ("after", 1)])
def test_a_process_is_killed_exactly_there(
    at_work: CloudAtWork,
    client: Client,
    bystander: subprocess.Popen[bytes],
    when: str,
    servers: int,
) -> None:
    at_work.order("/faults", {"signal": bystander.pid, "call": 2, "when": when})
    client.locations.get_all()
    assert bystander.poll() is None
    with pytest.raises(requests.ConnectionError):
        order(client)
    assert bystander.wait(10) == -9
    assert len(client.servers.get_all()) == servers


@pytest.mark.parametrize(("when", "servers"), [("before", 0), ("after", 1)])
def test_a_connection_is_reset(
    at_work: CloudAtWork, client: Client, when: str, servers: int
) -> None:
    at_work.order("/faults", {"kind": "hetzner", "match": ["POST"], "reset": True, "when": when})
    with pytest.raises(requests.ConnectionError):
        order(client)
    assert len(client.servers.get_all()) == servers


@pytest.mark.parametrize(("when", "servers"), [("before", 0), ("after", 1)])
def test_an_answer_never_comes(
    at_work: CloudAtWork, client: Client, when: str, servers: int
) -> None:
    at_work.order("/faults", {"match": ["POST /servers"], "hang": True, "when": when})
    client._client._timeout = 0.3
    with pytest.raises(requests.Timeout):
        order(client)
    client._client._timeout = 10
    eventually(lambda: len(at_work.calls()) >= 1)
    eventually(lambda: len(client.servers.get_all()) == servers)


def test_a_hanging_call_is_cut_when_faults_are_cleared(
    at_work: CloudAtWork, client: Client
) -> None:
    at_work.order("/faults", {"match": ["POST /servers"], "hang": True})
    failures: list[Exception] = []

    def ask() -> None:
        try:
            order(client)
        except requests.ConnectionError as failure:
            failures.append(failure)

    waiting = threading.Thread(target=ask)
    waiting.start()
    other = at_work.client()
    eventually(lambda: not requests.get(f"{at_work.control}/faults", timeout=5).json()["armed"])
    assert requests.delete(f"{at_work.control}/faults", timeout=5).status_code == 204
    waiting.join(10)
    assert len(failures) == 1
    assert other.servers.get_all() == []


def test_rate_limit_and_server_errors_are_answered(at_work: CloudAtWork, client: Client) -> None:
    limited: Json = {
        "status": 429,
        "code": "rate_limit_exceeded",
        "message": "slow",
        "retry_after": 30,
    }
    at_work.order("/faults", {"answer": limited})
    answer = at_work.ask("GET", "/servers")
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert answer.headers["RateLimit-Reset"].isdecimal()
    at_work.order("/faults", {"answer": {"status": 502, "text": "<html>bad gateway</html>"}})
    with pytest.raises(APIException) as refused:
        client.servers.get_all()
    assert refused.value.code == 502
    at_work.order("/faults", {"answer": {"status": 503, "code": "unavailable"}})
    with pytest.raises(APIException, match="unavailable"):
        client.servers.get_all()
    assert client.servers.get_all() == []


def test_one_place_can_be_out_of_a_type_for_a_while(at_work: CloudAtWork, client: Client) -> None:
    sold_out: Json = {
        "status": 412,
        "code": "resource_unavailable",
        "message": "error during placement",
    }
    words = ["POST /servers", "server_type=cx23", "location=fsn1"]
    at_work.order("/faults", {"match": words, "times": 2, "answer": sold_out})
    for _ in range(2):
        with pytest.raises(APIException, match="resource_unavailable"):
            order(client)
    assert order(client).server.name == "one"


def test_an_action_fails_later(at_work: CloudAtWork, client: Client) -> None:
    failure: Json = {"code": "action_failed", "message": "the host died"}
    at_work.order("/faults", {"match": ["POST /servers"], "action": failure})
    ordered = order(client)
    eventually(lambda: client.actions.get_by_id(ordered.action.id).status == "error")
    told = at_work.ask("GET", f"/actions/{ordered.action.id}").json()["action"]["error"]
    assert told == failure
    assert client.actions.get_by_id(ordered.next_actions[0].id).status == "error"
    assert at_work.guests.powered == set()


def test_the_calls_are_counted_and_told(at_work: CloudAtWork, client: Client) -> None:
    running(client)
    calls = requests.get(f"{at_work.control}/calls", timeout=5).json()["calls"]
    assert calls[0] == {
        "number": 1,
        "kind": "hetzner",
        "detail": "POST /servers name=one server_type=cx23 location=fsn1",
    }


@pytest.mark.parametrize(
    "fault", [{}, {"reset": True, "hang": True}, {"explode": True}, {"reset": True, "when": "now"}]
)
def test_a_fault_that_makes_no_sense_is_refused(
    at_work: CloudAtWork, fault: dict[str, object]
) -> None:
    answer = requests.post(f"{at_work.control}/faults", json=fault, timeout=5)  # type: ignore[arg-type]
    assert answer.status_code == 422
    assert answer.json()["error"]
