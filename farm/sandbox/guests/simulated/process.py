"""One process of a guest: its arguments, environment, user and three streams."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from farm.sandbox.guests.simulated.files import ROOT, Credentials, Files

if TYPE_CHECKING:
    from farm.sandbox.guests.simulated.machine import Machine

PIPE_LIMIT = 16 * 1024 * 1024
"""Bytes one command may print into a pipe or a variable before it is stopped."""

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class BrokenPipe(Exception):  # noqa: N818
    """Nobody reads any more, or far too much was printed: the process ends, as by SIGPIPE."""


class Sink(Protocol):
    """Where output goes."""

    def write(self, content: bytes) -> None:
        """Take `content`; BrokenPipe if nobody wants it."""


class Source(Protocol):
    """Where input comes from."""

    async def read(self) -> bytes:
        """All of the rest; b"" at the end."""

    async def line(self) -> bytes:
        """The next line with its newline; b"" at the end."""


class Buffer:
    """A sink that keeps what it gets, up to PIPE_LIMIT."""

    def __init__(self) -> None:
        self.content = bytearray()

    def write(self, content: bytes) -> None:
        """Keep it."""
        self.content += content
        if len(self.content) > PIPE_LIMIT:
            raise BrokenPipe


class Nowhere:
    """/dev/null as a sink."""

    def write(self, content: bytes) -> None:
        """Forget it."""


class FileSink:
    """Output appended to a file; the file was opened as `files` may."""

    def __init__(self, files: Files, path: str) -> None:
        self._files, self._path = files, path

    def write(self, content: bytes) -> None:
        """Append it."""
        self._files.write(self._path, content, append=True)


class Bytes:
    """A source with known content."""

    def __init__(self, content: bytes = b"") -> None:
        self._rest = content

    async def read(self) -> bytes:
        """What is left."""
        rest, self._rest = self._rest, b""
        return rest

    async def line(self) -> bytes:
        """The next line."""
        line, newline, self._rest = self._rest.partition(b"\n")
        return line + newline


@dataclass(slots=True)
class Process:
    """A program's view of its guest. `env` is its own copy; `cwd` is absolute."""

    machine: Machine
    argv: list[str]
    env: dict[str, str] = field(default_factory=lambda: {"PATH": DEFAULT_PATH})
    cwd: str = "/"
    who: Credentials = ROOT
    stdin: Source = field(default_factory=Bytes)
    stdout: Sink = field(default_factory=Nowhere)
    stderr: Sink = field(default_factory=Nowhere)
    umask: int = 0o022
    unit: str = ""

    @property
    def files(self) -> Files:
        """The disk as this process may use it."""
        return Files(self.machine.disk, self.who, self.machine.seconds, self.cwd)

    @property
    def arguments(self) -> list[str]:
        """What follows the program's name."""
        return self.argv[1:]

    def say(self, text: str) -> None:
        """One line on standard output."""
        self.stdout.write(f"{text}\n".encode())

    def complain(self, text: str) -> None:
        """One line on standard error."""
        self.stderr.write(f"{text}\n".encode())

    def fail(self, text: str, code: int = 1) -> int:
        """Complain in the program's name, and answer the exit code."""
        self.complain(f"{self.argv[0].rsplit('/', 1)[-1]}: {text}")
        return code

    async def run(self, argv: list[str]) -> int:
        """Run another program with the same user, environment and streams."""
        return await self.machine.run(replace(self, argv=argv, env=dict(self.env)))

    async def output_of(self, argv: list[str]) -> tuple[int, str]:
        """Run another program; answers its exit code and what it printed."""
        buffer = Buffer()
        child = replace(self, argv=argv, env=dict(self.env), stdout=buffer)
        code = await self.machine.run(child)
        return code, buffer.content.decode(errors="replace")


Program = Callable[[Process], Awaitable[int]]
"""What runs when a file of the guest is executed; answers the exit code, 0 to 255."""


async def breathe() -> None:
    """Let others have a turn: no script, however busy, may hold up the event loop."""
    await asyncio.sleep(0)
