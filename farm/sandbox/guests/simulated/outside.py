"""What a simulated guest reaches by HTTP: itself, metadata, our services."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import (
    ClientError,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    TCPConnector,
)

from farm.sandbox.callers import GUEST_HEADER
from farm.sandbox.guests.base import CloudName
from farm.sandbox.guests.metadata import PRIVILEGED_PORTS, Question, tell
from farm.sandbox.guests.simulated.accounts import user_name
from farm.sandbox.guests.simulated.loopback import exchange
from farm.sandbox.guests.simulated.whatsapp import WhatsApp

if TYPE_CHECKING:
    from farm.sandbox.guests.simulated.files import Credentials
    from farm.sandbox.guests.simulated.machine import Machine

METADATA = {"169.254.169.254": CloudName.HETZNER, "169.254.42.42": CloudName.SCALEWAY}
FIRST_FREE_PORT = 32_768
OWN = frozenset({"127.0.0.1", "localhost", "::1"})
ANSWER_LIMIT = 8 * 1024 * 1024


class Unreachable(Exception):  # noqa: N818
    """No answer: `code` is curl's exit code for the reason (6 name, 7 refused, 28 too late)."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; `seconds` is how long it may take on the machine's own clock.

    It comes from `local_port`, or with 0 from any that every user may have.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 60.0
    local_port: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Outside:
    """The network as simulated guests have it. `services` are our listeners' ports at `host`."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.services: set[int] = set()
        self.whatsapp = WhatsApp()
        self._sessions: dict[int, ClientSession] = {}

    async def forget(self, machine: Machine) -> None:
        """Drop a machine's connections."""
        session = self._sessions.pop(machine.identity.id, None)
        if session is not None:
            await session.close()

    async def close(self) -> None:
        """Drop every connection."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    def _client(self, machine: Machine) -> ClientSession:
        """A client whose requests come from the machine's own address, as a real one's do."""
        number = machine.identity.id
        if number not in self._sessions:
            connector = TCPConnector(limit=0, local_addr=(machine.identity.ipv4, 0))
            self._sessions[number] = ClientSession(connector=connector)
        return self._sessions[number]

    async def ask(self, machine: Machine, who: Credentials, request: Request) -> Answer:
        """Send a request from a machine as one of its users. Unreachable if nothing answers."""
        parts = urlsplit(request.url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        if fenced(machine, who, host):
            raise Unreachable(7, f"Failed to connect to {host} port {port}: Connection refused")
        if host in METADATA:
            return metadata(machine, who, request, METADATA[host])
        if host in OWN and port in machine.ports:
            return await self._own(machine, port, request)
        if host == self.host and port in self.services:
            return await self._service(machine, request)
        if host in OWN or re.fullmatch(r"[\d.]+", host):
            raise Unreachable(7, f"Failed to connect to {host} port {port}: Connection refused")
        raise Unreachable(6, f"Could not resolve host: {host}")

    async def connect(self, machine: Machine, url: str) -> ClientWebSocketResponse:
        """Open a WebSocket to one of our services. Unreachable if there is none."""
        parts = urlsplit(url)
        if parts.hostname != self.host or parts.port not in self.services:
            raise Unreachable(7, f"Failed to connect to {parts.hostname}: Connection refused")
        try:
            return await self._client(machine).ws_connect(
                url, headers={GUEST_HEADER: machine.identity.ipv4}
            )
        except (ClientError, OSError) as error:
            raise Unreachable(7, f"Failed to connect: {error}") from error

    async def _own(self, machine: Machine, port: int, request: Request) -> Answer:
        parts = urlsplit(request.url)
        target = parts.path or "/"
        if parts.query:
            target += f"?{parts.query}"
        raw = await asyncio.wait_for(
            exchange(machine.ports[port], wire(request, target, f"{parts.hostname}:{port}")),
            request.seconds,
        )
        return parsed(raw)

    async def _service(self, machine: Machine, request: Request) -> Answer:
        try:
            async with self._client(machine).request(
                request.method,
                request.url,
                headers={**request.headers, GUEST_HEADER: machine.identity.ipv4},
                data=request.body or None,
                timeout=ClientTimeout(total=request.seconds),
                allow_redirects=False,
            ) as response:
                body = await response.content.read(ANSWER_LIMIT)
                while chunk := await response.content.read(ANSWER_LIMIT - len(body)):
                    body += chunk
                return Answer(response.status, dict(response.headers), body)
        except TimeoutError as error:
            raise Unreachable(28, "Operation timed out") from error
        except (ClientError, OSError) as error:
            raise Unreachable(7, f"Failed to connect: {error}") from error


def fenced(machine: Machine, who: Credentials, host: str) -> bool:
    """Whether the machine's own packet filter refuses this user that address."""
    name = user_name(machine.files, who.uid)
    users = "|".join((re.escape(name), str(who.uid)))
    rule = rf'skuid "?(?:{users})"?\s[^\n]*{re.escape(host)}[^\n]*\b(?:drop|reject)'
    return re.search(rule, machine.ruleset) is not None


def metadata(machine: Machine, who: Credentials, request: Request, cloud: CloudName) -> Answer:
    """What a cloud's metadata service tells the machine; a low port is root's to ask from."""
    port = request.local_port or FIRST_FREE_PORT
    if port < PRIVILEGED_PORTS and who.uid:
        raise Unreachable(45, f"bind failed with errno 13: Permission denied ({port})")
    parts = urlsplit(request.url)
    wants_json = "format=json" in parts.query.split("&")
    told = tell(cloud, machine.identity, Question(parts.path, wants_json, port))
    return Answer(told.status, {"content-type": "text/plain"}, told.text.encode())


def wire(request: Request, target: str, host: str) -> bytes:
    """The request as HTTP/1.1 with no keep-alive."""
    headers = {"Host": host, "Connection": "close", "Content-Length": str(len(request.body))}
    lines = [f"{name}: {value}" for name, value in {**headers, **request.headers}.items()]
    head = "\r\n".join([f"{request.method} {target} HTTP/1.1", *lines, "", ""])
    return head.encode() + request.body


class _Wire:
    """Bytes in the shape that http.client reads from."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, _mode: str) -> io.BytesIO:
        """The one stream there is."""
        return io.BytesIO(self._content)


def parsed(raw: bytes) -> Answer:
    """An HTTP/1.1 answer from its bytes."""
    response = HTTPResponse(_Wire(raw))  # type: ignore[arg-type]  # it only calls makefile
    try:
        response.begin()
        return Answer(response.status, dict(response.getheaders()), response.read())
    except HTTPException as error:
        raise Unreachable(52, "Empty reply from server") from error
