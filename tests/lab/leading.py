"""Leads a browser's every https connection to one machine, whatever name it asks for."""

from __future__ import annotations

import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def leading_to(ipv4: str) -> Iterator[str]:
    """The address of an HTTP proxy that knows CONNECT, and one machine.

    A browser resolves names below localhost by itself, unless it asks a proxy.
    """

    class Way(socketserver.StreamRequestHandler):
        """One connection of the browser's."""

        def handle(self) -> None:
            """Read up to the empty line, then carry bytes both ways."""
            method, asked, _ = self.rfile.readline().split()
            if method != b"CONNECT":
                return
            port = int(asked.rpartition(b":")[2])
            while self.rfile.readline().strip():
                continue
            try:
                there = socket.create_connection((ipv4, port), 10)
            except OSError:
                self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
                return
            with there:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                _carry(self.connection, there)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Way) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def _carry(here: socket.socket, there: socket.socket) -> None:
    other = {here: there, there: here}
    while True:
        ready, _, _ = select.select([here, there], [], [])
        for end in ready:
            try:
                said = end.recv(65536)
                other[end].sendall(said)
            except OSError:
                return
            if not said:
                return
