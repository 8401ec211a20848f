"""Talking to what listens on a guest's 127.0.0.1 without any socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Wire(asyncio.Transport):
    """A transport that hands what a server writes to a callable."""

    def __init__(self, deliver: Callable[[bytes], None], closed: Callable[[], None]) -> None:
        super().__init__({"peername": ("127.0.0.1", 0), "sockname": ("127.0.0.1", 0)})
        self._deliver, self._closed = deliver, closed
        self._closing = False
        self._protocol: asyncio.BaseProtocol | None = None

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """The server's side of the conversation."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The server's side of the conversation."""
        if self._protocol is None:
            raise RuntimeError("a wire has a protocol before it is used")
        return self._protocol

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Deliver, unless closed."""
        if not self._closing:
            self._deliver(bytes(data))

    def can_write_eof(self) -> bool:
        """Only close ends it."""
        return False

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self._closing

    def pause_reading(self) -> None:
        """The other side sends little: what it sent is read anyway."""

    def resume_reading(self) -> None:
        """Nothing was ever paused."""

    def close(self) -> None:
        """End the conversation."""
        if self._closing:
            return
        self._closing = True
        self._closed()
        if self._protocol is not None:
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        """The same: nothing is buffered here."""
        self.close()


async def exchange(factory: Callable[[], asyncio.Protocol], request: bytes) -> bytes:
    """Send `request` to a new connection and answer all that comes until it is closed."""
    received = bytearray()
    done = asyncio.get_running_loop().create_future()
    protocol = factory()
    transport = Wire(received.extend, lambda: None if done.done() else done.set_result(None))
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    protocol.data_received(request)
    try:
        await done
    finally:
        transport.close()
    return bytes(received)
