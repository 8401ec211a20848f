"""Loopback addresses for guests: a slice of 127.0.0.0/8 and a port, held by a socket of ours."""

from __future__ import annotations

import json
import secrets
import socket
from pathlib import Path

from farm.sandbox.guests.base import GuestError

SLICES = range(64, 251)
PORTS = range(20000, 32000)
"""Below the range from which the kernel takes ports for outgoing connections."""
ATTEMPTS = 50


class Slice:
    """127.A.0.0/16 with a port; the socket at its last address keeps other sandboxes away."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "network.json"
        self.prefix = 0
        self.port = 0
        self._claim: socket.socket | None = None

    def take(self) -> None:
        """Claim the slice of the last start, or a free one. GuestError if nothing is free."""
        before = json.loads(self._path.read_text()) if self._path.exists() else {}
        prefix, port = int(before.get("prefix", 0)), int(before.get("port", 0))
        for _ in range(ATTEMPTS):
            prefix = prefix or secrets.choice(SLICES)
            port = port or secrets.choice(PORTS)
            if self._try(prefix, port):
                self._path.write_text(json.dumps({"prefix": prefix, "port": port}))
                return
            port = 0
        raise GuestError("No loopback port is free for the guests' SSH: end some programs.")

    def _try(self, prefix: int, port: int) -> bool:
        try:
            claim = socket.create_server((f"127.{prefix}.255.254", port))
        except OSError:
            return False
        self.prefix, self.port, self._claim = prefix, port, claim
        return True

    def release(self) -> None:
        """Let others have it."""
        if self._claim is not None:
            self._claim.close()
            self._claim = None

    def address(self, taken: set[str]) -> str:
        """The first address nobody has. GuestError if all are taken."""
        for third in range(255):
            for last in range(2, 255):
                address = f"127.{self.prefix}.{third}.{last}"
                if address not in taken:
                    return address
        raise GuestError("This sandbox has no address left: delete machines.")
