"""Server-sent events, written and cut apart."""

from __future__ import annotations

from collections.abc import Iterator

from farm.relay.wire import BadCall, JsonObject, packed

MOST_BYTES_OF_AN_EVENT = 8 * 1024 * 1024
_ENDS = (b"\n\n", b"\r\n\r\n", b"\r\r")


def event_bytes(event: JsonObject, *, name: str = "", whole: bool = False) -> bytes:
    """One event with its name, or with `whole` the plain object."""
    if whole:
        return packed(event)
    named = f"event: {name}\n".encode() if name else b""
    return named + b"data: " + packed(event) + b"\n\n"


class Cutter:
    """Cuts a stream of bytes into events; what is not whole yet waits for the rest."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._seen = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Every event that is whole now, with its end; BadCall for one without end."""
        self._rest += chunk
        while (end := _end_of_event(self._rest, self._seen)) > 0:
            yield bytes(self._rest[:end])
            del self._rest[:end]
            self._seen = 0
        # An end may be cut in two, so its beginning is looked at once more.
        self._seen = max(0, len(self._rest) - 3)
        if len(self._rest) > MOST_BYTES_OF_AN_EVENT:
            raise BadCall("The provider sends an event without end.")

    def rest(self) -> bytes:
        """What came after the last whole event."""
        return bytes(self._rest)


def data_of(event: bytes) -> bytes:
    """The data of an event, its lines put together."""
    lines = event.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return b"\n".join(line[5:].strip() for line in lines if line.startswith(b"data:"))


def _end_of_event(content: bytearray, start: int) -> int:
    ends = [at + len(end) for end in _ENDS if (at := content.find(end, start)) >= 0]
    return min(ends, default=0)
