"""Tells systemd that a service has done what others wait for."""

from __future__ import annotations

import os
import socket


def say_ready() -> None:
    """Nothing where no systemd waits for it."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        line.sendall(b"READY=1")
