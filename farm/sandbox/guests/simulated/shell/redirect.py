"""Where a command's streams lead: files, other descriptors, here-documents."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from farm.sandbox.guests.simulated.disk import NodeKind, refuse
from farm.sandbox.guests.simulated.files import Files
from farm.sandbox.guests.simulated.process import Bytes, FileSink, Nowhere, Sink, Source
from farm.sandbox.guests.simulated.shell.syntax import Redirect, ShellSyntaxError, Word


@dataclass(frozen=True, slots=True)
class Streams:
    """A command's input, and its outputs by descriptor."""

    source: Source
    sinks: dict[int, Sink]

    def sink(self, number: int) -> Sink:
        """Where a descriptor writes; nowhere if it is closed."""
        return self.sinks.get(number) or Nowhere()


class Redirector:
    """Applies redirections as one user, with files created under `umask`."""

    def __init__(self, files: Files, umask: int, text: Callable[[Word], Awaitable[str]]) -> None:
        self._files, self._umask, self._text = files, umask, text

    async def apply(self, redirects: tuple[Redirect, ...], streams: Streams) -> Streams:
        """The streams after all of `redirects`; OSError where a file cannot be opened."""
        source, sinks = streams.source, dict(streams.sinks)
        for redirect in redirects:
            target = await self._text(redirect.target)
            if redirect.operator == "<<":
                source = Bytes(target.encode())
            elif redirect.operator in {"<", "<>"}:
                source = self._input(target, streams)
            elif redirect.operator == "<&":
                source = Bytes() if target == "-" else source
            elif redirect.operator == ">&":
                sinks[redirect.number] = _duplicate(target, sinks)
            else:
                sinks[redirect.number] = self._output(target, redirect.operator, sinks)
        return Streams(source, sinks)

    def _input(self, path: str, streams: Streams) -> Source:
        if path in {"/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}:
            return streams.source
        return Bytes(self._files.read(path))

    def _output(self, path: str, operator: str, sinks: dict[int, Sink]) -> Sink:
        standard = {"/dev/stdout": 1, "/dev/stderr": 2, "/dev/fd/1": 1, "/dev/fd/2": 2}
        if path in standard:
            return sinks.get(standard[path]) or Nowhere()
        node = self._files.find(path)
        if node is not None and node.kind is NodeKind.DIRECTORY:
            raise refuse(errno.EISDIR, path)
        if node is not None and node.kind is NodeKind.DEVICE:
            return FileSink(self._files, path)
        append = operator == ">>"
        self._files.write(path, b"", mode=0o666 & ~self._umask, append=append)
        return FileSink(self._files, self._files.place(path))


def _duplicate(target: str, sinks: dict[int, Sink]) -> Sink:
    if target == "-":
        return Nowhere()
    if not target.isdigit() or int(target) not in sinks:
        raise ShellSyntaxError(f"{target}: Bad file descriptor")
    return sinks[int(target)]
