"""The first request of a connection: whose host it names, and what we answer ourselves."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from http import HTTPStatus

LONGEST_HEAD = 64 * 1024
HEAD_SECONDS = 15.0
END = b"\r\n\r\n"


class BadHead(Exception):  # noqa: N818
    """The request cannot be passed on; `status` and the message are the answer."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Head:
    """What was read so far, unchanged, and the lower-case host name it asks for, without port."""

    sent: bytes
    host: str


def read_head(client: socket.socket) -> Head | None:
    """Read until the first head is whole; None if the other side left before it said anything."""
    deadline = time.monotonic() + HEAD_SECONDS
    sent = bytearray()
    while END not in sent:
        client.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            piece = client.recv(LONGEST_HEAD + 1 - len(sent))
        except TimeoutError:
            raise BadHead(HTTPStatus.REQUEST_TIMEOUT, "The request took too long.") from None
        if not piece:
            return None
        sent += piece
        if len(sent) > LONGEST_HEAD and END not in sent:
            raise BadHead(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The request's head is too large."
            )
    return Head(bytes(sent), _host_in(bytes(sent)))


def answer(status: HTTPStatus, sentence: str) -> bytes:
    """A plain answer of our own that ends the connection."""
    body = f"{sentence}\n".encode()
    lines = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Connection: close",
    )
    return "\r\n".join(lines).encode() + END + body


def _host_in(sent: bytes) -> str:
    head = sent.partition(END)[0].decode("latin-1")
    hosts = [
        value.strip()
        for line in head.split("\r\n")[1:]
        for name, colon, value in (line.partition(":"),)
        if colon and name.strip().lower() == "host"
    ]
    if len(hosts) != 1:
        raise BadHead(HTTPStatus.BAD_REQUEST, "A request names exactly one host.")
    return hosts[0].rpartition(":")[0].lower() if ":" in hosts[0] else hosts[0].lower()
