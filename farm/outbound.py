"""The one client for requests of the farm that a member can steer: model keys and bot tokens.

It connects to the address it checked, never to one that a second look at the name would give.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import httpcore

from farm.addresses import Fenced, checked_addresses

MOST_BYTES = 256 * 1024
SocketOption = (
    tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
)

# At DEBUG it would write every address into the log, and a bot's token is part of one.
logging.getLogger("httpcore").setLevel(logging.WARNING)


class Unreachable(Exception):  # noqa: N818
    """No whole answer came. `maybe_received` if the request may have had its effect."""

    def __init__(self, message: str, *, maybe_received: bool = False) -> None:
        super().__init__(message)
        self.maybe_received = maybe_received


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask. `timeout` is in seconds and bounds the whole exchange, not each byte."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    timeout: float = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and at most 256 KiB of body."""

    status: int
    body: bytes


def fetch(request: Request) -> Answer:
    """The answer of a server in the open internet, or of an endpoint the operator configured.

    Follows no redirect. Raises Unreachable; nothing of the address is in its message, since a
    bot token is part of one.
    """
    url = httpcore.URL(request.url)
    host = url.host.decode()
    line = _Line(time.monotonic() + request.timeout)
    headers = list({"User-Agent": "agent-farm", **request.headers}.items())
    try:
        with (
            httpcore.ConnectionPool(network_backend=line) as pool,
            pool.stream(request.method, url, headers=headers, content=request.body) as response,
        ):
            return Answer(response.status, _bounded(response.iter_stream()))
    except Fenced as error:
        raise Unreachable(str(error)) from error
    except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
        raise Unreachable(f"{host} cannot be reached") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
        raise Unreachable(f"{host} did not answer", maybe_received=True) from error


def _bounded(chunks: Iterable[bytes]) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > MOST_BYTES:
            raise Unreachable(
                "the answer is larger than any this farm expects", maybe_received=True
            )
    return bytes(body)


class _Line(httpcore.NetworkBackend):
    """Connects to checked addresses only, and everything on it is over at the deadline.

    Headers of an answer are bounded as a whole by httpcore: 100 KiB.
    """

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  (the deadline counts)
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first of the host's addresses; Fenced where none may be used."""
        address = checked_addresses(host, port)[0]
        stream = self._plain.connect_tcp(
            address, port, _left(self._deadline), local_address, socket_options
        )
        return _Stream(stream, self._deadline)


class _Stream(httpcore.NetworkStream):
    """A connection on which no single read or write outlives the deadline of all of them."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        """What has come."""
        left = _left(self._deadline)
        return self._stream.read(max_bytes, left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        """Send all of it."""
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        """End it."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted, with the server's name checked."""
        left = _left(self._deadline)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> object:
        """What the connection below knows."""
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    """Seconds until the deadline; ReadTimeout after it."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the answer took too long")
    return left
