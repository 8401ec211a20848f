"""A guest's port towards its network, in TLS, behind the cloud's firewall and its own fence."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from farm.sandbox.guests.simulated.sockets import reset

if TYPE_CHECKING:
    from farm.sandbox.guests.simulated.machine import Machine, ProtocolFactory

LOOPBACK = "127.0.0.1"
CHUNK = 32 * 1024


class Doorway:
    """Listens at the guest's own address; what comes over its loopback gets in by `bridge`."""

    def __init__(
        self, machine: Machine, port: int, server: ProtocolFactory, context: ssl.SSLContext
    ) -> None:
        self._machine, self._port, self._server, self._context = machine, port, server, context
        self._inside: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener = socket.create_server((machine.identity.ipv4, port), backlog=64)
        self._listener.setblocking(False)  # noqa: FBT003  the standard library's own signature
        asyncio.get_running_loop().add_reader(self._listener, self._accept)

    def close(self) -> None:
        """Nobody comes in any more."""
        asyncio.get_running_loop().remove_reader(self._listener)
        self._listener.close()
        for task in self._tasks:
            task.cancel()

    def is_inside(self, peer: tuple[str, int]) -> bool:
        """Whether a connection comes from the guest's own loopback."""
        return peer[0] == LOOPBACK and peer[1] in self._inside

    def bridge(self) -> asyncio.Protocol:
        """One connection over the guest's loopback."""
        return Bridge(self)

    async def connect(self, protocol: asyncio.Protocol) -> asyncio.Transport:
        """From the guest's loopback to its own port."""
        own = socket.socket()
        own.setblocking(False)  # noqa: FBT003
        own.bind((LOOPBACK, 0))
        self._inside.add(own.getsockname()[1])
        loop = asyncio.get_running_loop()
        await loop.sock_connect(own, (self._machine.identity.ipv4, self._port))
        transport, _ = await loop.create_connection(lambda: protocol, sock=own)
        return transport

    def _accept(self) -> None:
        try:
            connection, peer = self._listener.accept()
        except OSError:
            return
        if not (self.is_inside(peer) or self._admits(peer[0])):
            reset(connection)
            return
        connection.setblocking(False)  # noqa: FBT003
        task = asyncio.get_running_loop().create_task(self._serve(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _admits(self, peer: str) -> bool:
        machine = self._machine
        return machine.admits(self._port, peer) and not fenced_off(
            machine.ruleset, self._port, peer
        )

    async def _serve(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(
                self._server, connection, ssl=self._context, ssl_handshake_timeout=10
            )
        except (OSError, EOFError):
            connection.close()


class Bridge(asyncio.Protocol):
    """The guest's loopback on one side, its port on the other; each hears what the other says."""

    def __init__(self, doorway: Doorway) -> None:
        self._doorway = doorway
        self._said: list[bytes] = []
        self._near: asyncio.BaseTransport | None = None
        self._far: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody came over the loopback."""
        self._near = transport
        self._task = asyncio.get_running_loop().create_task(self._connect())

    def data_received(self, data: bytes) -> None:
        """What they say goes on to the port."""
        if self._far is None:
            self._said.append(data)
        else:
            self._far.write(data)

    def connection_lost(self, _error: Exception | None) -> None:
        """They left."""
        if self._far is not None:
            self._far.close()
        elif self._task is not None:
            self._task.cancel()

    async def _connect(self) -> None:
        near = self._near
        try:
            self._far = await self._doorway.connect(_Back(near))
        except OSError:
            if near is not None:
                near.close()
            return
        for data in self._said:
            self._far.write(data)


class _Back(asyncio.Protocol):
    """What the port answers."""

    def __init__(self, near: asyncio.BaseTransport | None) -> None:
        self._near = near

    def data_received(self, data: bytes) -> None:
        """Goes back over the loopback."""
        if isinstance(self._near, asyncio.WriteTransport):
            self._near.write(data)

    def connection_lost(self, _error: Exception | None) -> None:
        """The port hung up."""
        if self._near is not None:
            self._near.close()


def fenced_off(ruleset: str, port: int, peer: str) -> bool:
    """Whether the machine's own packet filter drops what this peer sends to the port."""
    accepted = re.findall(rf"tcp dport {port} ip saddr \{{([^}}]*)\}} accept", ruleset)
    sources = [source.strip() for listed in accepted for source in listed.split(",")]
    if any(ip_address(peer) in ip_network(source, strict=False) for source in sources):
        return False
    return re.search(rf"tcp dport {port} (?:drop|reject)", ruleset) is not None
