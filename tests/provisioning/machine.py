"""A machine for tests: a real SSH server on loopback that trusts one authority."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import asyncssh

from provisioning.certificates import Authority, new_private_key
from provisioning.ssh import Target

PRINCIPAL = "server-1"
NEVER, FLOOD = "never", "flood"
"""Commands of this machine that end only with the connection: silent, and with endless output."""


@dataclass(slots=True)
class Machine:
    """What the server does; tests change it while it runs.

    A command in `answers` gets that exit code and output, any other one is run by this machine's
    own shell. `forwards` says which local port stands behind a port of the machine.
    """

    authority: Authority
    host_key: str
    host_key_public: str
    principal: str = PRINCIPAL
    port: int = 0
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    forwards: dict[int, int] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    hang_up_on: str = ""
    logins: list[str] = field(default_factory=list)
    connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)

    @property
    def target(self) -> Target:
        """How the farm knows this machine."""
        return Target("127.0.0.1", self.port, self.principal, (self.host_key_public,))


def new_authority() -> Authority:
    """A CA of one fresh key."""
    return Authority.from_openssh([new_private_key()[0]])


def now() -> datetime:
    """The real time, which the machine's own clock shows too."""
    return datetime.now(UTC)


class _Server(asyncssh.SSHServer):
    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._machine.connections.append(conn)

    async def begin_auth(self, username: str) -> bool:
        assert self._connection is not None
        self._machine.logins.append(username)
        trusted = "".join(
            f'cert-authority,principals="{self._machine.principal}" {key}\n'
            for key in self._machine.authority.public_keys
        )
        self._connection.set_authorized_keys(asyncssh.import_authorized_keys(trusted))
        return True

    async def connection_requested(  # type: ignore[override]
        self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
    ) -> asyncssh.SSHForwarder:
        assert self._connection is not None
        behind = self._machine.forwards.get(dest_port, dest_port)
        return await self._connection.forward_connection(dest_host, behind)


async def _run(machine: Machine, process: asyncssh.SSHServerProcess[bytes]) -> None:
    command = process.command or ""
    machine.commands.append(command)
    if machine.hang_up_on and machine.hang_up_on in command:
        process.channel.get_connection().abort()
        return
    if command == NEVER:
        await process.wait_closed()
        return
    if command == FLOOD:
        with suppress(BrokenPipeError):
            await _flood(process)
        return
    if command in machine.answers:
        code, output = machine.answers[command]
        process.stdout.write(output)
        process.exit(code)
        return
    given = await process.stdin.read()
    child = await asyncio.create_subprocess_shell(
        command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await child.communicate(given)
    process.stdout.write(out)
    process.stderr.write(err)
    process.exit(child.returncode or 0)


async def _flood(process: asyncssh.SSHServerProcess[bytes]) -> None:
    while True:
        process.stdout.write(b"y" * 65536)
        await process.stdout.drain()


async def _hang_up(machine: Machine) -> None:
    for connection in machine.connections:
        connection.abort()
        await connection.wait_closed()
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.wait(rest, timeout=30) if rest else None


@contextmanager
def running_machine() -> Iterator[Machine]:
    """A machine that answers on loopback with a fresh host key and authority."""
    private, public = new_private_key()
    machine = Machine(new_authority(), private, public)
    started, ended = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        server = await asyncssh.create_server(
            lambda: _Server(machine),
            "127.0.0.1",
            0,
            server_host_keys=[asyncssh.import_private_key(private)],
            process_factory=lambda process: _run(machine, process),
            encoding=None,
        )
        machine.port = server.sockets[0].getsockname()[1]
        started.set()
        await ended.wait()
        server.close()
        await _hang_up(machine)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert started.wait(30)
    try:
        yield machine
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(30)
        loop.close()
