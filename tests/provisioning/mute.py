"""A machine for tests that lets the farm in and then never says whether a command runs."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import paramiko
from paramiko.common import AUTH_SUCCESSFUL, OPEN_SUCCEEDED

from provisioning.certificates import new_private_key
from provisioning.ssh import Target


class _Mute(paramiko.ServerInterface):
    def __init__(self, over: threading.Event) -> None:
        self._over = over

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return AUTH_SUCCESSFUL

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED

    def check_channel_exec_request(
        self,
        channel: paramiko.Channel,
        command: bytes,
    ) -> bool:
        self._over.wait()
        return False


@contextmanager
def mute_machine() -> Iterator[Target]:
    """It takes any key, opens channels, and leaves the order to run something without an answer."""
    private, public = new_private_key()
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            client, _ = door.accept()
            transport = paramiko.Transport(client)
            transport.add_server_key(paramiko.Ed25519Key.from_private_key(io.StringIO(private)))
            transport.start_server(server=_Mute(over))
            over.wait()
            transport.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield Target("127.0.0.1", door.getsockname()[1], "server-1", (public,))
        finally:
            over.set()
            thread.join(30)
