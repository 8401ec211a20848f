"""A streamed answer as its caller shall see it, its usage read in passing."""

from __future__ import annotations

from farm.relay.dialects.base import Asked, Dialect, Meter
from farm.relay.dialects.events import Cutter, data_of, event_bytes
from farm.relay.wire import maybe_object

_TELLING = b"usage"


class Showing:
    """Bytes go through untouched and at once, unless something in them is to be hidden again."""

    def __init__(self, dialect: Dialect, asked: Asked) -> None:
        self.meter: Meter = dialect.meter()
        self._dialect = dialect
        self._asked = asked
        self._cutter = Cutter()

    def feed(self, chunk: bytes) -> bytes:
        """What of it may be shown now."""
        events = [self._read(event) for event in self._cutter.feed(chunk)]
        return chunk if self._asked.usage_wanted else b"".join(events)

    def rest(self) -> bytes:
        """What is left at the end of the stream: an event whose end was never sent."""
        shown = self._read(self._cutter.rest())
        return b"" if self._asked.usage_wanted else shown

    def _read(self, event: bytes) -> bytes:
        """Only events that tell a usage are looked into."""
        if _TELLING not in event:
            return event
        told = maybe_object(data_of(event))
        self.meter.event(told)
        shown = self._dialect.shown(self._asked, told)
        if shown is told:
            return event
        return event_bytes(shown) if shown else b""
