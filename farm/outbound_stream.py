"""The same rules for requests whose answer is passed on as it comes: the relay's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import httpcore

from farm.addresses import checked_addresses
from farm.outbound import SocketOption

MOST_CONNECTIONS = 512
MOST_IDLE = 64
IDLE_SECONDS = 30


def new_pool() -> httpcore.AsyncConnectionPool:
    """Connections kept for reuse; each goes to an address that was checked when it was made.

    Raises addresses.Fenced where a name leads where it may not. Follows no redirect, knows no
    proxy, and bounds the headers of an answer at 100 KiB.
    """
    return httpcore.AsyncConnectionPool(
        max_connections=MOST_CONNECTIONS,
        max_keepalive_connections=MOST_IDLE,
        keepalive_expiry=IDLE_SECONDS,
        network_backend=_Line(),
    )


class _Line(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses only. The pool speaks TLS to port 443 or where it is told."""

    def __init__(self) -> None:
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (httpcore's own signature)
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first of the host's addresses."""
        addresses = await asyncio.to_thread(checked_addresses, host, port)
        return await self._plain.connect_tcp(
            addresses[0], port, timeout, local_address, socket_options
        )
