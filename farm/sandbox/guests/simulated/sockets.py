"""What a firewall does to a TCP connection that it does not let in."""

from __future__ import annotations

import socket
import struct


def reset(connection: socket.socket) -> None:
    """Close it so that the other side sees a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
