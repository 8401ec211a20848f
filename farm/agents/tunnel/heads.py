"""The first request of a connection: whose host it names, and what we answer ourselves."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from http import HTTPStatus

from provisioning.streams import Deadline

LONGEST_HEAD = 64 * 1024
HEAD_SECONDS = 15.0
ELSEWHERE = ("cross-site", "same-site")
END = b"\r\n\r\n"
Fields = tuple[tuple[str, str], ...]


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


def read_head(client: socket.socket, seconds: float = HEAD_SECONDS) -> Head | None:
    """Read until the first head is whole; None if the other side left before it said anything.

    BadHead also for a request that a page of another site makes in its visitor's browser.
    """
    deadline = Deadline(seconds)
    sent = bytearray()
    while END not in sent:
        piece = _piece(client, LONGEST_HEAD + 1 - len(sent), deadline)
        if not piece:
            return None
        sent += piece
        if len(sent) > LONGEST_HEAD and END not in sent:
            raise BadHead(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The request's head is too large."
            )
    request, fields = _parsed(bytes(sent))
    _refuse_other_sites(request, fields)
    return Head(bytes(sent), _host_in(fields))


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


def _piece(client: socket.socket, most: int, deadline: Deadline) -> bytes:
    """What comes next; a visitor who sends a letter now and then is not waited for longer."""
    try:
        client.settimeout(deadline.left())
        return client.recv(most)
    except TimeoutError:
        raise BadHead(HTTPStatus.REQUEST_TIMEOUT, "The request took too long.") from None


def _parsed(sent: bytes) -> tuple[str, Fields]:
    """The request line, and the fields with their names in lower case."""
    request, *lines = sent.partition(END)[0].decode("latin-1").split("\r\n")
    fields = tuple(
        (name.strip().lower(), value.strip())
        for name, colon, value in (line.partition(":") for line in lines)
        if colon
    )
    return request, fields


def _refuse_other_sites(request: str, fields: Fields) -> None:
    """A page elsewhere, another agent's too, may lead here by a link and do nothing else.

    Browsers say where a request comes from and share no connection between sites, so that the
    first head of each connection tells.
    """
    told = dict(fields)
    if told.get("sec-fetch-site") not in ELSEWHERE:
        return
    link = (told.get("sec-fetch-mode"), told.get("sec-fetch-dest")) == ("navigate", "document")
    if not (link and request.startswith("GET ")):
        raise BadHead(HTTPStatus.FORBIDDEN, "Another site's page may not speak to an agent.")


def _host_in(fields: Fields) -> str:
    hosts = [value for name, value in fields if name == "host"]
    if len(hosts) != 1:
        raise BadHead(HTTPStatus.BAD_REQUEST, "A request names exactly one host.")
    return hosts[0].rpartition(":")[0].lower() if ":" in hosts[0] else hosts[0].lower()
