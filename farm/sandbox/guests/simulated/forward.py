"""A direct-tcpip channel joined to what listens on a guest's port."""

from __future__ import annotations

import asyncio

from asyncssh import SSHTCPChannel, SSHTCPSession

from farm.sandbox.guests.simulated.loopback import Wire


class Forward(SSHTCPSession[bytes]):
    """The farm's end of a connection whose other end is a server's protocol."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        self._protocol = protocol
        self._wire: Wire | None = None

    def connection_made(self, chan: SSHTCPChannel[bytes]) -> None:
        """Give the server a transport that writes into the channel."""
        self._wire = Wire(chan.write, chan.close)
        self._wire.set_protocol(self._protocol)
        self._protocol.connection_made(self._wire)

    def data_received(self, data: bytes, _datatype: int | None) -> None:
        """Pass on what the farm sends."""
        if self._wire is not None and not self._wire.is_closing():
            self._protocol.data_received(data)

    def eof_received(self) -> bool:
        """The farm may stop sending and still wait for the answer."""
        return True

    def connection_lost(self, _exc: Exception | None) -> None:
        """Tell the server."""
        if self._wire is not None:
            self._wire.close()
