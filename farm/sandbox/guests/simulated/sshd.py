"""Connections to a guest's sshd: real SSH, with keys, certificates and limits from its files."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import posixpath
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

import asyncssh
from asyncssh import SSHServer, SSHServerConnection, SSHServerProcess, SSHTCPSession

from farm.sandbox.faults import Refused, Severed
from farm.sandbox.guests.simulated.accounts import User, credentials, find_user, shadow
from farm.sandbox.guests.simulated.files import ROOT
from farm.sandbox.guests.simulated.forward import Forward
from farm.sandbox.guests.simulated.machine import Machine
from farm.sandbox.guests.simulated.process import DEFAULT_PATH, BrokenPipe, Process
from farm.sandbox.guests.simulated.programs.people import password_expired
from farm.sandbox.guests.simulated.sftp import GuestSftp
from farm.sandbox.guests.simulated.sockets import reset
from farm.sandbox.guests.simulated.sshd_config import SshdConfig

BANNER = "OpenSSH_9.2p1 Debian-2+deb12u7"
INPUT_LIMIT = 64 * 1024 * 1024
# Every refused login is a warning there; what a guest refuses is for its own journal.
logging.getLogger("asyncssh").setLevel(logging.CRITICAL)


class Login(SSHServer):
    """One connection, from key exchange to its end."""

    def __init__(self, machine: Machine, config: SshdConfig) -> None:
        self.machine, self._config = machine, config
        self._user: User | None = None
        self._connection: SSHServerConnection | None = None
        self._sessions = 0
        self.admitted = asyncio.Event()
        """Set once the connection itself has passed the gate: nothing is done before."""

    def connection_made(self, conn: SSHServerConnection) -> None:
        """Remember the connection, so that a power cut can end it."""
        self._connection = conn
        self.machine.connections.add(conn)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Forget it."""
        if self._connection is not None:
            self.machine.connections.discard(self._connection)

    def hang_up(self, connection: socket.socket) -> None:
        """Cut the connection, whether or not SSH has begun on it."""
        if self._connection is not None:
            self._connection.abort()
        else:
            reset(connection)

    def begin_auth(self, username: str) -> bool:
        """Find the user and what lets them in; a login is always asked for."""
        files = self.machine.files
        self._user = find_user(files, username)
        trusted = ""
        if self._user is not None and self._config.admits(username):
            trusted = self._trusted(self._user)
        if self._connection is not None:
            self._connection.set_authorized_keys(asyncssh.import_authorized_keys(trusted))
        return True

    def _trusted(self, user: User) -> str:
        if not self._config.yes("pubkeyauthentication", default=True):
            return ""
        lines = self._authorities(user)
        paths = self._config.word(
            "authorizedkeysfile", ".ssh/authorized_keys .ssh/authorized_keys2"
        )
        for pattern in paths.split() if paths.lower() != "none" else []:
            lines += self._safe_lines(posixpath.join(user.home, expanded(pattern, user)), user)
        return "".join(f"{line}\n" for line in lines if _is_key_line(line))

    def _authorities(self, user: User) -> list[str]:
        """TrustedUserCAKeys, each with the principals that its certificates may name."""
        path = self._config.word("trustedusercakeys", "none")
        node = self.machine.files.find(path) if path.lower() != "none" else None
        if node is None:
            return []
        names = [user.name]
        pattern = self._config.word("authorizedprincipalsfile", "none")
        if pattern.lower() != "none":
            place = posixpath.join(user.home, expanded(pattern, user))
            names = [line.split()[-1] for line in self._safe_lines(place, user)]
        if not names:
            return []
        keys = node.content.decode(errors="replace").splitlines()
        option = f'cert-authority,principals="{",".join(names)}"'
        return [f"{option} {key}" for key in keys if key.strip() and not key.startswith("#")]

    def _safe_lines(self, path: str, user: User) -> list[str]:
        """A file's lines, none if StrictModes would not trust it."""
        node = self.machine.files.find(path)
        if node is None or node.uid not in {0, user.uid} or node.mode & 0o022:
            return []
        lines = node.content.decode(errors="replace").splitlines()
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]

    def password_auth_supported(self) -> bool:
        """Passwords are never right here, but whether sshd asks for one is its files' word."""
        only_keys = self._config.word("authenticationmethods", "any") == "publickey"
        return self._config.yes("passwordauthentication", default=True) and not only_keys

    def kbdint_auth_supported(self) -> bool:
        """Never."""
        return False

    def validate_password(self, _username: str, _password: str) -> bool:
        """No password opens a guest of this kind."""
        return False

    def session_requested(self) -> bool:
        """At most MaxSessions over one connection."""
        self._sessions += 1
        return self._sessions <= int(self._config.word("maxsessions", "10")) + self._closed

    _closed = 0

    def ended(self) -> None:
        """A session is over; another may begin."""
        self._closed += 1

    def connection_requested(
        self, dest_host: str, dest_port: int, _orig_host: str, _orig_port: int
    ) -> Coroutine[None, None, SSHTCPSession[bytes]]:
        """A direct-tcpip channel to a port of the guest itself."""
        return self._forward(dest_host, dest_port)

    async def _forward(self, host: str, port: int) -> SSHTCPSession[bytes]:
        if not self._config.may_open(host, port):
            raise asyncssh.ChannelOpenError(
                asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED,
                "administratively prohibited: open failed",
            )
        async with self.call(f"forward {port}"):
            factory = self.machine.ports.get(port) if host in {"127.0.0.1", "localhost"} else None
            if factory is None:
                raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "Connection refused")
            return Forward(factory())

    @property
    def home(self) -> str:
        """Where the user's paths start."""
        return self._user.home if self._user is not None else "/"

    def process(self, argv: list[str]) -> Process:
        """A process of the user who logged in."""
        user, files = self._user, self.machine.files
        if user is None:
            return Process(self.machine, argv)
        env = {
            "PATH": DEFAULT_PATH,
            "HOME": user.home,
            "USER": user.name,
            "LOGNAME": user.name,
            "SHELL": user.shell,
            "LANG": "C.UTF-8",
        }
        home = user.home if files.is_dir(user.home) else "/"
        who = credentials(files, user) if user.uid else ROOT
        return Process(self.machine, argv, env, home, who)

    @asynccontextmanager
    async def call(self, what: str) -> AsyncIterator[None]:
        """One outside call of the farm; a fault that severs it ends the connection."""
        await self.admitted.wait()
        try:
            async with self.machine.around.gate.passage(
                "ssh", f"{self.machine.identity.ipv4} {what}"
            ):
                yield
        except (Severed, Refused):
            if self._connection is not None:
                self._connection.abort()
            raise asyncssh.ConnectionLost("severed") from None

    async def run(self, channel: SSHServerProcess[bytes]) -> None:
        """One exec or shell session."""
        code = 255
        with contextlib.suppress(asyncssh.Error, BrokenPipeError):
            async with self.call(f"exec {channel.command or 'shell'}"):
                code = await self._session(channel)
            channel.exit(code)
        self.ended()

    async def _session(self, channel: SSHServerProcess[bytes]) -> int:
        if self._user is not None and self._expired(self._user):
            channel.stderr.write(
                b"WARNING: Your password has expired.\nPassword change required.\n"
            )
            return 1
        argv = ["/bin/sh", "-c", channel.command] if channel.command else ["/bin/sh", "-s"]
        process = self.process(argv)
        process.stdin = ChannelSource(channel)
        process.stdout, process.stderr = ChannelSink(channel.stdout), ChannelSink(channel.stderr)
        pid = self.machine.start(process)
        task = self.machine.processes[pid].task
        await asyncio.wait([task])
        return 255 if task.cancelled() or task.exception() else task.result()

    def _expired(self, user: User) -> bool:
        today = int(self.machine.seconds() // 86400)
        return password_expired(shadow(self.machine.files, user.name), today)


class ChannelSource:
    """What the client sends."""

    def __init__(self, channel: SSHServerProcess[bytes]) -> None:
        self._channel = channel

    async def read(self) -> bytes:
        """Everything until the client says it is the end."""
        content = bytearray()
        while chunk := await self._channel.stdin.read(65536):
            content += chunk
            if len(content) > INPUT_LIMIT:
                raise BrokenPipe
        return bytes(content)

    async def line(self) -> bytes:
        """The next line."""
        return await self._channel.stdin.readline()


class ChannelSink:
    """What the client gets."""

    def __init__(self, writer: asyncssh.SSHWriter[bytes]) -> None:
        self._writer = writer

    def write(self, content: bytes) -> None:
        """Send it; BrokenPipe once the client has gone."""
        try:
            self._writer.write(content)
        except (BrokenPipeError, OSError) as error:
            raise BrokenPipe from error


def expanded(pattern: str, user: User) -> str:
    """%u, %h and %% in a path of sshd's configuration."""
    return pattern.replace("%u", user.name).replace("%h", user.home).replace("%%", "%")


def _is_key_line(line: str) -> bool:
    try:
        asyncssh.import_authorized_keys(line)
    except ValueError:
        return False
    return True


def host_keys(machine: Machine, config: SshdConfig) -> list[asyncssh.SSHKey]:
    """The private keys in the machine's files now; what cannot be read is left out."""
    keys: list[asyncssh.SSHKey] = []
    for path in config.host_keys:
        node = machine.files.find(path)
        if node is None or node.mode & 0o077:
            continue
        with contextlib.suppress(asyncssh.KeyImportError):
            keys.append(asyncssh.import_private_key(node.content))
    return keys


async def serve(machine: Machine, connection: socket.socket) -> None:
    """Speak SSH over an accepted connection until it is up or refused."""
    if machine.sshd is None:
        reset(connection)
        return
    login = Login(machine, machine.sshd)
    try:
        async with machine.around.gate.passage("ssh", f"{machine.identity.ipv4} connect"):
            await _greet(login, machine.sshd, connection)
    except (Severed, Refused):
        login.hang_up(connection)
    except (asyncssh.Error, OSError, TimeoutError):
        connection.close()
    except asyncio.CancelledError:
        connection.close()
        raise
    else:
        login.admitted.set()


async def _greet(login: Login, config: SshdConfig, connection: socket.socket) -> None:
    keys = host_keys(login.machine, config)
    if await _strange_key(login.machine):
        keys = [asyncssh.generate_private_key("ssh-ed25519")]
    await asyncssh.run_server(
        connection,
        config=None,
        server_factory=lambda: login,
        server_host_keys=keys,
        server_version=BANNER,
        process_factory=login.run,
        sftp_factory=lambda channel: GuestSftp(channel, login),
        encoding=None,
        agent_forwarding=False,
        x11_forwarding=False,
        allow_pty=False,
        line_editor=False,
        login_timeout=float(config.word("logingracetime", "120").rstrip("s")),
    )


async def _strange_key(machine: Machine) -> bool:
    """A fault of kind "hostkey" shows a key nobody knows: counted only where one is armed."""
    gate = machine.around.gate
    if not gate.expects("hostkey"):
        return False
    try:
        async with gate.passage("hostkey", machine.identity.ipv4):
            return False
    except Severed:
        return True
