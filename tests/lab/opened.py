"""A door from this machine to an agent's gateway: TCP on loopback through an SSH connection."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from provisioning.runtime import PORT
from provisioning.ssh import Shell


class _Stream(Protocol):
    def recv(self, nbytes: int, /) -> bytes: ...
    def sendall(self, s: bytes, /) -> None: ...
    def shutdown(self, how: int, /) -> None: ...


@contextmanager
def opened(shell: Shell) -> Iterator[int]:
    """A free port of loopback behind which the agent's gateway answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_serve, args=(server, shell), daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(30)


def _serve(server: socket.socket, shell: Shell) -> None:
    with suppress(OSError):
        while True:
            client, _ = server.accept()
            threading.Thread(target=_join, args=(client, shell), daemon=True).start()


def _join(client: socket.socket, shell: Shell) -> None:
    with client, shell.forward(PORT) as channel:
        back = threading.Thread(target=_pump, args=(channel, client), daemon=True)
        back.start()
        _pump(client, channel)
        back.join()


def _pump(source: _Stream, sink: _Stream) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            sink.sendall(chunk)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
