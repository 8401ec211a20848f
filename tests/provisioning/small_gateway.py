"""A gateway for tests: HTTP on loopback with the routes of OpenClaw's that the farm uses."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias

TOKEN = "gateway-token-of-this-test"
Json: TypeAlias = dict[str, object]


def said(text: str) -> bytes:
    """The body of an answered turn."""
    message = {"role": "assistant", "content": text}
    return json.dumps({"choices": [{"index": 0, "message": message}]}).encode()


def refused(kind: str, message: str = "no") -> bytes:
    """The body of a failed turn."""
    return json.dumps({"error": {"type": kind, "message": message}}).encode()


@dataclass(slots=True)
class SmallGateway:
    """What it answers next; `turns` and `calls` keep the bodies of what it was asked for.

    A call is answered with `status` unless `call` says otherwise.
    """

    port: int = 0
    startup: int = 200
    ready: Json = field(default_factory=lambda: {"ready": True, "failing": []})
    status: Json = field(default_factory=lambda: {"degradedSecretOwners": []})
    call: tuple[int, bytes] | None = None
    calls: list[Json] = field(default_factory=list)
    turn: tuple[int, bytes] = (200, said("hello"))
    turns: list[Json] = field(default_factory=list)
    cut_off: int = 0
    held: threading.Event = field(default_factory=threading.Event)
    holds: bool = False


def _handler(gateway: SmallGateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

        def do_GET(self) -> None:
            if self.path == "/startupz":
                self._answer(gateway.startup, b'{"status":"x"}')
            else:
                self._answer(200, json.dumps(gateway.ready).encode())

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                self._answer(401, refused("unauthorized"))
            elif self.path == "/api/v1/admin/rpc":
                gateway.calls.append(body)
                told = json.dumps({"ok": True, "payload": gateway.status}).encode()
                self._answer(*(gateway.call or (200, told)))
            else:
                gateway.turns.append(body)
                if gateway.holds:
                    gateway.held.wait(60)
                self._answer(*gateway.turn)

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) + gateway.cut_off))
            self.end_headers()
            self.wfile.write(body)

    return Handler


@contextmanager
def running_gateway() -> Iterator[SmallGateway]:
    """A gateway on a free port of loopback."""
    gateway = SmallGateway()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(gateway))
    gateway.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        gateway.held.set()
        server.shutdown()
        server.server_close()
        thread.join(30)
