"""Bounded talk over one channel to a machine: a command's streams, or one HTTP exchange."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from threading import Event
from typing import Protocol

_CHUNK = 32 * 1024
_GLANCE = 0.05
"""Seconds to wait for one stream before looking at the other."""
_ERRORS_KEPT = 64 * 1024


Sink = Callable[[bytes], object]
"""Takes what comes, piece by piece."""
Source = Callable[[Sink], object]
"""Sends all it has into what it is given."""


class Channel(Protocol):
    """What we use of an SSH channel; reads and writes raise TimeoutError after `settimeout`."""

    def settimeout(self, timeout: float | None) -> None:
        """Bound each following read and write, in seconds."""

    def recv(self, nbytes: int) -> bytes:
        """What came on the main stream; empty at its end."""

    def sendall(self, s: bytes) -> None:
        """Send everything."""


class CommandChannel(Channel, Protocol):
    """A channel on which a command runs."""

    status_event: Event
    exit_status: int

    def recv_stderr(self, nbytes: int) -> bytes:
        """What came on the error stream; empty at its end."""

    def recv_stderr_ready(self) -> bool:
        """Whether `recv_stderr` would answer at once."""

    def shutdown_write(self) -> None:
        """Say that no more input comes."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended. `truncated` says that it wrote more than was kept."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    truncated: bool


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What is asked of a server on the machine."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a server on the machine answered."""

    status: int
    body: bytes


class TooLongError(Exception):
    """The other side sends more than we are ready to read."""


class Deadline:
    """A moment `timeout` seconds from now."""

    def __init__(self, timeout: float) -> None:
        self._end = time.monotonic() + timeout

    def left(self) -> float:
        """Seconds until then, or TimeoutError once it has passed."""
        if (left := self._end - time.monotonic()) <= 0:
            raise TimeoutError
        return left


class _Kept:
    """The first `limit` bytes of a stream."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.content = b""
        self.truncated = False

    def add(self, chunk: bytes) -> None:
        """Keep what still fits."""
        room = self._limit - len(self.content)
        self.content += chunk[:room]
        self.truncated = self.truncated or len(chunk) > room


class _Passed:
    """Hands a stream on as it comes; TooLongError once it is more than `limit` bytes."""

    def __init__(self, sink: Sink, limit: int) -> None:
        self._sink = sink
        self._room = limit

    def add(self, chunk: bytes) -> None:
        """Hand on what still fits, or nothing more."""
        self._room -= len(chunk)
        if self._room < 0:
            raise TooLongError
        self._sink(chunk)


def converse(channel: CommandChannel, stdin: bytes, *, timeout: float, limit: int) -> Result:
    """Feed a started command, and gather what it writes until it ends; TimeoutError, EOFError."""
    return feed(channel, lambda send: send(stdin), timeout=timeout, limit=limit)


def feed(channel: CommandChannel, source: Source, *, timeout: float, limit: int) -> Result:
    """As `converse`, with input that `source` sends piece by piece; its errors end the talk."""
    deadline = Deadline(timeout)

    def send(piece: bytes) -> None:
        if piece:
            channel.settimeout(deadline.left())
            channel.sendall(piece)

    source(send)
    channel.shutdown_write()
    out, err = _Kept(limit), _Kept(limit)
    _gather(channel, out, err, deadline)
    code = _exit_code(channel, deadline)
    return Result(code, out.content, err.content, out.truncated or err.truncated)


def drain(channel: CommandChannel, sink: Sink, *, timeout: float, limit: int) -> Result:
    """Hand on what a started command prints, at most `limit` bytes; its input is empty.

    TooLongError for more, TimeoutError, EOFError, and whatever `sink` raises.
    """
    deadline = Deadline(timeout)
    channel.shutdown_write()
    err = _Kept(_ERRORS_KEPT)
    _gather(channel, _Passed(sink, limit), err, deadline)
    return Result(_exit_code(channel, deadline), b"", err.content, err.truncated)


def _exit_code(channel: CommandChannel, deadline: Deadline) -> int:
    if not channel.status_event.wait(deadline.left()):
        raise TimeoutError
    if channel.exit_status < 0:
        raise EOFError
    return channel.exit_status


def _gather(channel: CommandChannel, out: _Kept | _Passed, err: _Kept, deadline: Deadline) -> None:
    """Read both streams to their ends, in turns, so that neither fills up and stalls the other."""
    while True:
        channel.settimeout(min(_GLANCE, deadline.left()))
        try:
            chunk = channel.recv(_CHUNK)
        except TimeoutError:
            chunk = None
        if chunk:
            out.add(chunk)
        while channel.recv_stderr_ready():
            err.add(channel.recv_stderr(_CHUNK))
            deadline.left()
        if chunk == b"":
            break
    channel.settimeout(deadline.left())
    while chunk := channel.recv_stderr(_CHUNK):
        err.add(chunk)
        channel.settimeout(deadline.left())


class _Reader(io.RawIOBase):
    """The channel as a file, each read bounded by what is left of the whole exchange."""

    def __init__(self, channel: Channel, deadline: Deadline) -> None:
        self._channel = channel
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._channel.settimeout(self._deadline.left())
        chunk = self._channel.recv(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)


class _Socket:
    """As much of a socket as http.client needs."""

    def __init__(self, channel: Channel, deadline: Deadline) -> None:
        self._channel = channel
        self._deadline = deadline

    def sendall(self, content: bytes) -> None:
        """Send within what is left of the exchange."""
        self._channel.settimeout(self._deadline.left())
        self._channel.sendall(content)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """The answer as a file."""
        return io.BufferedReader(_Reader(self._channel, self._deadline))

    def close(self) -> None:
        """Nothing: http.client closes before it reads the body, and the caller hangs up."""


def exchange(channel: Channel, request: HttpRequest, *, timeout: float, limit: int) -> HttpAnswer:
    """Ask and read the whole answer.

    TimeoutError after `timeout` seconds, TooLongError over `limit` bytes, HTTPException or EOFError
    for a broken one.
    """
    connection = HTTPConnection("127.0.0.1")
    connection.sock = _Socket(channel, Deadline(timeout))
    connection.request(
        request.method, request.path, body=request.body or None, headers=dict(request.headers)
    )
    response = connection.getresponse()
    body = response.read(limit + 1)
    if len(body) > limit:
        raise TooLongError
    if response.length:
        raise EOFError
    return HttpAnswer(response.status, body)
