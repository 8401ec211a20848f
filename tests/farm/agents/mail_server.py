"""A mail server on loopback that takes mail, and may end a process at either end of taking it."""

from __future__ import annotations

import os
import signal
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum


class When(StrEnum):
    """At which moment the process that sends is ended."""

    BEFORE = "before"
    AFTER = "after"


class MailServer(socketserver.ThreadingTCPServer):
    """`victim` is whom it ends, once; `taken` are the mails that it has."""

    daemon_threads = True

    def __init__(self, when: When) -> None:
        super().__init__(("127.0.0.1", 0), Talk)
        self.when = when
        self.victim: int | None = None
        self.taken: list[bytes] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def end_victim(self, when: When) -> None:
        """As if somebody pulled its plug."""
        if self.when == when and self.victim is not None:
            os.kill(self.victim, signal.SIGKILL)
            self.victim = None


class Talk(socketserver.StreamRequestHandler):
    """One connection, as far as Django's backend needs it."""

    server: MailServer

    def handle(self) -> None:
        """Take mails until it hangs up."""
        self.server.end_victim(When.BEFORE)
        self._say(b"220 here")
        while words := self.rfile.readline().upper().split():
            if words[0] == b"DATA":
                self._say(b"354 go on")
                self._take()
            self._say(b"250 fine")

    def _take(self) -> None:
        lines = list(iter(self.rfile.readline, b".\r\n"))
        self.server.taken.append(b"".join(lines))
        self.server.end_victim(When.AFTER)

    def _say(self, line: bytes) -> None:
        try:
            self.wfile.write(line + b"\r\n")
        except OSError:
            # Whoever listened is no more.
            return


@contextmanager
def mail_server(when: When) -> Iterator[MailServer]:
    """It takes mail until the end of the block."""
    with MailServer(when) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
