"""A site behind the real Caddy, agents whose gateways are in attackers' hands, and visitors."""

from __future__ import annotations

import json
import os
import random
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from farm.ops.processes import web
from tests.edge.gateways import PORT, HostileGateway, hostile_gateway
from tests.ops.farms import free_port, until

ROOT = Path(__file__).resolve().parents[2]
STREAM_SECONDS = 2
LOCAL = "127.0.0.1"
UNCHECKED = ssl._create_unverified_context()  # noqa: S323  Caddy's own authority, for tests
PAGE = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent on the stage: its host name's first word, its origin and its gateway."""

    uid: str
    host: str
    origin: str
    gateway: HostileGateway


class _Here(httpx.HTTPTransport):
    """Every name leads to this machine, as a name below localhost does for browsers."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer of whoever listens here."""
        asked = httpx.Request(
            request.method,
            request.url.copy_with(host=LOCAL),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": request.url.host},
        )
        return super().handle_request(asked)


def visitor() -> httpx.Client:
    """A browser without a page: it keeps cookies by host and follows no redirect by itself."""
    return httpx.Client(transport=_Here(verify=UNCHECKED), headers=PAGE, timeout=20)


@dataclass(slots=True)
class Stage:
    """A running farm with an edge. `site` is its origin."""

    environ: Mapping[str, str]
    folder: Path
    port: int
    backstage: subprocess.Popen[str]
    closing: ExitStack
    made: int = field(default=0)

    @property
    def site(self) -> str:
        """The site's origin."""
        return f"https://farm.localhost:{self.port}"

    def order(self, do: str, **more: str) -> dict[str, str]:
        """Have something done behind the scenes."""
        assert self.backstage.stdin
        assert self.backstage.stdout
        self.backstage.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self.backstage.stdin.flush()
        answer: dict[str, str] = json.loads(self.backstage.stdout.readline())
        return answer

    def person(self) -> tuple[str, str]:
        """A new person, and the key of their session at the site."""
        self.made += 1
        name = f"person{self.made}"
        return name, self.order("person", name=name)["session"]

    def agent(self, owner: str, name: str = "Nino") -> Agent:
        """A new agent of theirs, with its gateway."""
        ipv4 = own_address()
        row = self.order("agent", owner=owner, name=name, ipv4=ipv4)
        folder = self.folder / row["uid"]
        folder.mkdir()
        papers = (row["certificate"], row["private_key"])
        gateway = self.closing.enter_context(hostile_gateway(ipv4, *papers, folder))
        origin = f"https://{row['host']}.agents.localhost:{self.port}"
        return Agent(row["uid"], row["host"], origin, gateway)

    def visitor(self) -> httpx.Client:
        """The browser of somebody nobody knows."""
        return self.closing.enter_context(visitor())

    def member(self, session: str) -> httpx.Client:
        """The browser of somebody who is logged in at the site."""
        browser = self.visitor()
        browser.cookies.set("__Host-session", session, domain="farm.localhost")
        return browser

    def inside(self, session: str, agent: Agent) -> httpx.Client:
        """A member's browser that opened the agent."""
        browser = self.member(session)
        shown = browser.get(agent.origin, follow_redirects=True)
        assert shown.status_code == 200, shown.text
        return browser


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """Database, site, Caddy and backstage; all ended in the end."""
    environ = _environ(folder)
    _run(environ, "prepare")
    with ExitStack() as closing:
        for argv in (web(environ["PORT"]).argv, (sys.executable, "-m", "farm", "edge")):
            closing.enter_context(_process(argv, environ, folder))
        backstage = closing.enter_context(_backstage(environ))
        port = int(environ["SITE_URL"].rpartition(":")[2])
        made = Stage(environ, folder, port, backstage, closing)
        with visitor() as knocking:
            until(lambda: _answers(knocking, made.site))
        yield made


def websocket(browser: httpx.Client, agent: Agent, *, origin: str | None = None) -> ssl.SSLSocket:
    """A WebSocket to the agent; see `websocket_to`."""
    return websocket_to(browser, agent.origin, origin=origin)


def websocket_to(
    browser: httpx.Client, address: str, *, origin: str | None = None
) -> ssl.SSLSocket:
    """A WebSocket's first words through the edge, with the browser's cookies of that host."""
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        **({"Origin": origin} if origin else {}),
    }
    return begun(browser, "GET", address, headers)


def begun(
    browser: httpx.Client, method: str, address: str, headers: Mapping[str, str]
) -> ssl.SSLSocket:
    """A request's head as it is, with the browser's cookies of that host; the rest is to come."""
    url = httpx.URL(address)
    raw = socket.create_connection((LOCAL, url.port or 443), timeout=20)
    wire = UNCHECKED.wrap_socket(raw, server_hostname=url.host)
    held = [cookie for cookie in browser.cookies.jar if cookie.domain == url.host]
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in held)
    lines = [f"{method} {url.path} HTTP/1.1", f"Host: {url.netloc.decode()}", f"Cookie: {cookies}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    wire.sendall("\r\n".join([*lines, "", ""]).encode())
    return wire


def status_of(wire: ssl.SSLSocket) -> int:
    """The status of the answer; what follows it is left."""
    return int(wire.recv(4096).split(b" ", 2)[1])


def heard_to_its_end(wire: ssl.SSLSocket) -> bytes:
    """All that comes until the other side hangs up."""
    said = bytearray()
    try:
        while piece := wire.recv(4096):
            said += piece
    except (ConnectionError, ssl.SSLEOFError):
        return bytes(said)
    return bytes(said)


def _environ(folder: Path) -> dict[str, str]:
    ours = ("EDGE", "SITE", "AGENT", "SANDBOX", "HETZNER", "PORT", "TUNNEL", "DATABASE", "BROKER")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    port = free_port()
    return {
        **kept,
        "FARM_DATA": str(folder / "data"),
        "PORT": str(free_port()),
        "SITE_URL": f"https://farm.localhost:{port}",
        "AGENTS_DOMAIN": "agents.localhost",
        "AGENT_URL": f"https://{{host}}.agents.localhost:{port}",
        "ALLOWED_HOSTS": "localhost,127.0.0.1,farm.localhost",
        "EDGE_ADDRESSES": LOCAL,
        "EDGE_HTTP_PORT": str(free_port()),
        "EDGE_STREAM_SECONDS": str(STREAM_SECONDS),
        "EDGE_RECHECK_SECONDS": "1",
    }


def _run(environ: Mapping[str, str], *words: str) -> None:
    argv = [sys.executable, "-m", "farm", *words]
    subprocess.run(argv, env=dict(environ), cwd=ROOT, check=True, capture_output=True)


@contextmanager
def _process(argv: tuple[str, ...], environ: Mapping[str, str], folder: Path) -> Iterator[None]:
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            argv, env=dict(environ), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)


@contextmanager
def _backstage(environ: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.edge.backstage"],
        env=dict(environ),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.communicate(timeout=20)


def _answers(knocking: httpx.Client, site: str) -> bool:
    try:
        return knocking.get(f"{site}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def own_address() -> str:
    """An address of this machine's loopback at which nobody has the gateway's port."""
    for _ in range(100):
        ipv4 = f"127.{random.randint(100, 250)}.{random.randint(1, 250)}.{random.randint(2, 250)}"  # noqa: S311
        try:
            socket.create_server((ipv4, PORT)).close()
        except OSError:
            time.sleep(0.01)
        else:
            return ipv4
    raise AssertionError("No loopback address is free.")
