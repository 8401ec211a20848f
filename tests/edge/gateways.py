"""A gateway in an attacker's hands: it notes what reaches it and answers with what may not pass."""

from __future__ import annotations

import base64
import hashlib
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT = 18789
PAGE = b"<!doctype html><title>Agent</title><h1>An agent's page</h1>"
PLANTED = {
    "Set-Cookie": "planted=1; Path=/",
    "Clear-Site-Data": '"cookies"',
    "Alt-Svc": 'h3="evil.example:443"',
}
ENDLESS = "/assets/endless"
TRICKLED = "/assets/trickled"
SLOW = {ENDLESS: "text/event-stream", TRICKLED: "text/plain"}
TEXT_FRAME = b"\x81\x04tick"
MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(frozen=True, slots=True)
class Heard:
    """One request as it reached the machine."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(slots=True)
class HostileGateway:
    """`heard` is every request so far."""

    ipv4: str
    heard: list[Heard] = field(default_factory=list)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, gateway: HostileGateway) -> None:
        self.gateway = gateway
        super().__init__((gateway.ipv4, PORT), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A stream that the edge ended is no news."""


@contextmanager
def hostile_gateway(
    ipv4: str, certificate: str, private_key: str, folder: Path
) -> Iterator[HostileGateway]:
    """Answers at the gateway's port of that address, with those papers."""
    gateway = HostileGateway(ipv4)
    server = _Server(gateway)
    papers = folder / "papers.pem"
    papers.write_text(private_key + certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        self._hear()
        if self.headers.get("Upgrade", "").lower() == "websocket":
            self._talk()
        elif self.path in SLOW:
            self._go_on(SLOW[self.path])
        else:
            self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self._hear()
        self._answer()

    do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815 - the names that the server calls

    def _hear(self) -> None:
        self.server.gateway.heard.append(Heard(self.command, self.path, dict(self.headers.items())))

    def _answer(self) -> None:
        self.send_response(200)
        for name, value in PLANTED.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def _talk(self) -> None:
        key = f"{self.headers['Sec-WebSocket-Key']}{MAGIC}".encode()
        accept = base64.b64encode(hashlib.sha1(key, usedforsecurity=False).digest())
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept.decode())
        self.end_headers()
        self._trickle(TEXT_FRAME)

    def _go_on(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.end_headers()
        self._trickle(b"data: tick\n\n")

    def _trickle(self, piece: bytes) -> None:
        """As long as anybody listens."""
        self.close_connection = True
        with suppress(OSError):
            while True:
                self.wfile.write(piece)
                self.wfile.flush()
                time.sleep(0.1)
