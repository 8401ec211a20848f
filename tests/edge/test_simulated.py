"""A whole farm with an edge over a simulated gateway, which believes its proxy as the real one."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.edge.gateways import PORT
from tests.edge.stage import LOCAL, ROOT, UNCHECKED, visitor, websocket_to
from tests.ops.farms import Surroundings, free_port, running_farm

SCOPES = ["operator.read", "operator.write", "operator.approvals", "operator.questions"]
NADIA = {
    "X-Forwarded-User": "Nadia",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "ada",
    "X-Forwarded-For": "192.0.2.7",
}
TURN = {"messages": [{"role": "user", "content": "Hello"}]}


@dataclass(frozen=True, slots=True)
class Ada:
    """A running agent behind the edge, and the session of the person it is for."""

    origin: str
    ipv4: str
    session: str

    def asked(self, path: str, headers: dict[str, str]) -> int:
        """What the gateway answers to somebody at the edge's own address, Caddy apart."""
        url = f"https://{self.ipv4}:{PORT}{path}"
        return httpx.post(url, json=TURN, headers=headers, verify=UNCHECKED, timeout=30).status_code


@pytest.fixture(scope="module")
def ada(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ada]:
    """One farm for all tests here."""
    port = free_port()
    edge = {
        "SITE_URL": f"https://farm.localhost:{port}",
        "AGENT_URL": f"https://{{host}}.agents.localhost:{port}",
        "ALLOWED_HOSTS": "localhost,127.0.0.1,farm.localhost",
        "EDGE_ADDRESSES": "sandbox",
        "EDGE_HTTP_PORT": str(free_port()),
    }
    data = tmp_path_factory.mktemp("whole")
    around = Surroundings(data, free_port(), free_port(), extra=edge)
    with running_farm(around):
        session = _person(around)
        made = around.farm("agents", "create", "Ada", "--as", "nadia@example.org", "--json")
        assert made.returncode == 0, made.stderr
        shown = around.farm("agents", "show", "Ada", "--as", "nadia@example.org", "--json")
        yield Ada(f"https://ada.agents.localhost:{port}", json.loads(shown.stdout)["ipv4"], session)


def _person(around: Surroundings) -> str:
    order = json.dumps({"do": "person", "name": "nadia"})
    argv = [sys.executable, "-m", "tests.edge.backstage"]
    told = subprocess.run(
        argv, input=order, env=around.environ, cwd=ROOT, text=True, check=True, capture_output=True
    )
    return str(json.loads(told.stdout)["session"])


def test_one_click_and_the_gateway_says_hello(ada: Ada) -> None:
    with visitor() as browser:
        browser.cookies.set("__Host-session", ada.session, domain="farm.localhost")
        shown = browser.get(ada.origin, follow_redirects=True)
        assert "Control UI" in shown.text
        with websocket_to(browser, ada.origin, origin=ada.origin) as wire:
            hello = _connected(wire)
    assert hello["auth"] == {"role": "operator", "scopes": SCOPES, "user": "Nadia"}


def _connected(wire: ssl.SSLSocket) -> dict[str, object]:
    """What the gateway answers to `connect`, in the payload of its hello."""
    wire.recv(4096)
    asked = json.dumps({"type": "req", "id": "1", "method": "connect", "params": {}}).encode()
    wire.sendall(bytes([0x81, 0x80 | len(asked)]) + bytes(4) + asked)
    said = b""
    while b"hello-ok" not in said:
        said += wire.recv(4096)
    text = said[said.index(b'{"type": "res"') :].decode(errors="ignore")
    payload: dict[str, object] = json.JSONDecoder().raw_decode(text)[0]["payload"]
    return payload


def test_the_gateways_port_is_shut_to_everybody_else(ada: Ada) -> None:
    assert _is_hung_up_on(ada.ipv4, "127.9.9.9")
    assert not _is_hung_up_on(ada.ipv4, LOCAL)


def _is_hung_up_on(ipv4: str, source: str) -> bool:
    """Whether somebody with that address gets no TLS greeting."""
    try:
        with socket.create_connection((ipv4, PORT), 10, (source, 0)) as plain:
            UNCHECKED.wrap_socket(plain, server_hostname="anything").close()
    except (ConnectionError, ssl.SSLError):
        return True
    return False


def test_the_gateway_believes_what_the_real_one_does(ada: Ada) -> None:
    turn, rpc = "/v1/chat/completions", "/api/v1/admin/rpc"
    assert ada.asked(turn, NADIA) == 200
    assert ada.asked(turn, {**NADIA, "X-Forwarded-User": "Eve"}) == 401
    assert ada.asked(turn, {**NADIA, "X-Forwarded-For": "127.0.0.1"}) == 403
    assert ada.asked(turn, {"X-Forwarded-User": "Nadia"}) == 403
    assert ada.asked(turn, {**NADIA, "X-OpenClaw-Scopes": "operator.read"}) == 401
    # Why the edge sets the scopes itself: without the header everything may be done.
    assert ada.asked(rpc, NADIA) == 400
    assert ada.asked(rpc, {**NADIA, "X-OpenClaw-Scopes": ",".join(SCOPES)}) == 401
