"""Bytes both ways between a visitor and a machine, until both have said all or one is gone."""

from __future__ import annotations

import socket
import threading
from typing import Protocol

from provisioning.streams import Channel

CHUNK = 32 * 1024


class TwoWay(Channel, Protocol):
    """A channel whose two directions end apart."""

    def close(self) -> None:
        """Hang up."""

    def shutdown_write(self) -> None:
        """Say that no more comes from here."""


def pipe(client: socket.socket, channel: TwoWay) -> None:
    """Returns when the machine has said all; what the visitor still says is then of no use."""
    client.settimeout(None)
    channel.settimeout(None)
    inward = threading.Thread(target=_inward, args=(client, channel), daemon=True)
    inward.start()
    try:
        while piece := channel.recv(CHUNK):
            client.sendall(piece)
    finally:
        channel.close()
        # Wakes the other direction, which may be waiting for the visitor.
        _shut(client)
        inward.join(timeout=5)


def _inward(client: socket.socket, channel: TwoWay) -> None:
    try:
        while piece := client.recv(CHUNK):
            channel.sendall(piece)
        channel.shutdown_write()
    except OSError:
        channel.close()


def _shut(client: socket.socket) -> None:
    try:
        client.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
