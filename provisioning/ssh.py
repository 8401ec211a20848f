"""How the farm reaches a machine: SSH with a pinned host key and a five-minute certificate."""

from __future__ import annotations

import io
import logging
import shlex
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException

import paramiko

from provisioning import streams
from provisioning.certificates import Authority, Certificate
from provisioning.errors import AnswerLost, HostKeyMismatch, ProvisioningError, Transient
from provisioning.remotefiles import RemoteFile, as_tar, install_command
from provisioning.tls import TlsChannel, Trust

LOGIN = "root"
CONNECT_TIMEOUT = 10.0
"""Seconds for TCP, banner, key exchange and login, each."""
OUTPUT_LIMIT = 64 * 1024
"""Bytes kept of each stream of a command, unless told."""
BODY_LIMIT = 1024 * 1024
"""Bytes of an HTTP answer, unless told; a longer one is refused."""
_CONNECT_FAILED = 2
"""The reason code of RFC 4254 when the far side of a forward refuses."""
_FAILURES = (paramiko.SSHException, OSError, EOFError, HTTPException, streams.TooLongError)

# Every failure is raised as one of ours; paramiko would also print it, once per refused channel.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Target:
    """A machine, and the OpenSSH public keys of which it must show one.

    `gateway` is whom its gateway must prove to be where it speaks TLS; None where it does not.
    """

    host: str
    port: int
    principal: str
    host_keys: tuple[str, ...]
    gateway: Trust | None = None


@contextmanager
def connect(target: Target, authority: Authority, now: datetime) -> Iterator[Shell]:
    """Log in as root. HostKeyMismatch for a strange machine, Transient for anything else amiss.

    `now` is aware; the certificate is good for five minutes around it and for `target.principal`.
    """
    shell = _first_accepted(target, authority.certify(target.principal, now))
    try:
        yield shell
    finally:
        shell.close()


class Shell:
    """An open connection to one machine.

    Every method may raise Transient; AnswerLost where the machine may have done what was asked.
    `host_key` is the OpenSSH public key that it showed, `key_id` names our certificate in its log.
    """

    def __init__(
        self, transport: paramiko.Transport, host_key: str, key_id: str, gateway: Trust | None
    ) -> None:
        self._transport = transport
        self._gateway = gateway
        self.host_key = host_key
        self.key_id = key_id

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float = 30.0,
        limit: int = OUTPUT_LIMIT,
    ) -> streams.Result:
        """Run one command and wait for its end, at most `timeout` seconds.

        Of each output stream the first `limit` bytes are kept. The output is the machine's word:
        pass it through `quoting.plain` before anybody sees it.
        """
        with self._running(argv, timeout) as channel:
            return streams.converse(channel, stdin, timeout=timeout, limit=limit)

    def drain(
        self, argv: Sequence[str], sink: streams.Sink, *, timeout: float, limit: int
    ) -> streams.Result:
        """Run one command and hand what it prints to `sink` as it comes.

        AnswerLost with code "answer_too_long" for more than `limit` bytes. The result holds its
        errors only; an OSError of `sink` looks like a broken connection.
        """
        with self._running(argv, timeout) as channel:
            return streams.drain(channel, sink, timeout=timeout, limit=limit)

    def feed(
        self, argv: Sequence[str], source: streams.Source, *, timeout: float
    ) -> streams.Result:
        """Run one command whose input `source` sends piece by piece.

        Whatever else `source` raises ends the connection's command unfinished and goes on up.
        """
        with self._running(argv, timeout) as channel:
            return streams.feed(channel, source, timeout=timeout, limit=OUTPUT_LIMIT)

    @contextmanager
    def _running(self, argv: Sequence[str], timeout: float) -> Iterator[paramiko.Channel]:
        """A channel on which the command was begun; what breaks is one of our errors."""
        try:
            with (
                self._no_longer_than(timeout),
                self._transport.open_session(timeout=CONNECT_TIMEOUT) as channel,
            ):
                channel.exec_command(shlex.join(argv))
                yield channel
        except _FAILURES as error:
            raise _failure(error, f"running {argv[0]}") from error

    def write(self, files: Sequence[RemoteFile], *, timeout: float = 30.0) -> None:
        """Put all files in place in one round trip, each atomically."""
        result = self.run(install_command(files), stdin=as_tar(files), timeout=timeout)
        if result.exit_code != 0:
            raise Transient("write_failed", "The machine could not store the agent's files.")

    def http(
        self,
        port: int,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        body: bytes = b"",
        timeout: float = 30.0,
        limit: int = BODY_LIMIT,
    ) -> streams.HttpAnswer:
        """One HTTP request to 127.0.0.1:`port` on the machine, in TLS where the target says so.

        Transient with code "nothing_listens" if no one is there, "wrong_certificate" if it is not
        whom we mean; AnswerLost if the answer did not
        come whole within `timeout` seconds and `limit` bytes.
        """
        request = streams.HttpRequest(method, path, headers, body)
        with self._no_longer_than(timeout), self.forward(port) as channel:
            try:
                spoken = TlsChannel(channel, self._gateway) if self._gateway else channel
                return streams.exchange(spoken, request, timeout=timeout, limit=limit)
            except _FAILURES as error:
                raise _failure(error, f"asking {path}") from error

    def forward(self, port: int) -> paramiko.Channel:
        """A raw connection to 127.0.0.1:`port` on the machine; the caller closes it."""
        try:
            return self._transport.open_channel(
                "direct-tcpip", ("127.0.0.1", port), ("127.0.0.1", 0), timeout=CONNECT_TIMEOUT
            )
        except _FAILURES as error:
            raise _failure(error, f"reaching port {port}") from error

    @contextmanager
    def _no_longer_than(self, timeout: float) -> Iterator[None]:
        """Hang up on a machine that holds us beyond `timeout` seconds and the time to connect.

        Its word on whether a command runs, and room for what we send, are waited for without end.
        """
        watch = threading.Timer(CONNECT_TIMEOUT + timeout, self._transport.close)
        watch.daemon = True
        watch.start()
        try:
            yield
        finally:
            watch.cancel()

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    @property
    def alive(self) -> bool:
        """Whether the connection still stands, as far as this side knows."""
        return self._transport.is_active()


def _first_accepted(target: Target, certificates: Sequence[Certificate]) -> Shell:
    """A connection for each certificate in turn, as not every server lets one try twice on one."""
    for certificate in certificates:
        transport = _transport(target)
        try:
            shown = _greet(transport, target)
            if _log_in(transport, certificate):
                return Shell(transport, shown, certificate.key_id, target.gateway)
        except BaseException:
            transport.close()
            raise
        transport.close()
    raise Transient(
        "login_refused", "The machine does not take the farm's certificate (yet): is it set up?"
    )


def _transport(target: Target) -> paramiko.Transport:
    """TCP and nothing more. Transient if nobody is there."""
    try:
        raw = socket.create_connection((target.host, target.port), timeout=CONNECT_TIMEOUT)
    except OSError as error:
        raise _unreachable(target, error) from error
    try:
        transport = paramiko.Transport(raw)
    except _FAILURES as error:
        raw.close()
        raise _unreachable(target, error) from error
    transport.banner_timeout = transport.handshake_timeout = CONNECT_TIMEOUT
    transport.auth_timeout = transport.channel_timeout = CONNECT_TIMEOUT
    return transport


def _greet(transport: paramiko.Transport, target: Target) -> str:
    """Exchange keys; the host key that the machine proved, if it is one of ours."""
    pinned = {_bare(key) for key in target.host_keys}
    kinds = {key.split()[0] for key in pinned}
    options = transport.get_security_options()
    options.key_types = sorted(options.key_types, key=lambda kind: kind not in kinds)
    try:
        transport.start_client(timeout=CONNECT_TIMEOUT)
        key = transport.get_remote_server_key()
    except _FAILURES as error:
        raise _unreachable(target, error) from error
    shown = f"{key.get_name()} {key.get_base64()}"
    if shown not in pinned:
        raise HostKeyMismatch(
            "host_key_mismatch",
            f"{target.host} shows a host key that is not the machine's: {key.fingerprint}."
            " Nothing was said to it. Look at the machine in the cloud's own console.",
        )
    transport.set_keepalive(15)
    return shown


def _log_in(transport: paramiko.Transport, certificate: Certificate) -> bool:
    """Whether the machine takes this certificate."""
    key = paramiko.Ed25519Key.from_private_key(io.StringIO(certificate.private_key))
    key.load_certificate(certificate.certificate)
    try:
        transport.auth_publickey(LOGIN, key)
    except paramiko.AuthenticationException:
        return False
    except _FAILURES as error:
        raise _failure(error, "logging in") from error
    return True


def _bare(key: str) -> str:
    """An OpenSSH public key without its comment."""
    return " ".join(key.split()[:2])


def _unreachable(target: Target, error: Exception) -> Transient:
    return Transient(
        "unreachable", f"{target.host} port {target.port} does not answer as SSH does: {error!r}"
    )


def _failure(error: Exception, doing: str) -> ProvisioningError:
    """What a broken talk means for us."""
    if isinstance(error, paramiko.ChannelException):
        code = "nothing_listens" if error.code == _CONNECT_FAILED else "channel_refused"
        return Transient(code, f"The machine refused while {doing}.")
    if isinstance(error, ssl.SSLError):
        why = f"Another than the machine's gateway answered while {doing}: {error.reason}."
        return Transient("wrong_certificate", why)
    if isinstance(error, TimeoutError):
        return AnswerLost("timeout", f"The machine did not answer in time while {doing}.")
    if isinstance(error, streams.TooLongError):
        return AnswerLost("answer_too_long", f"The machine answered too much while {doing}.")
    return AnswerLost("connection_lost", f"The connection broke while {doing}.")
