"""SMTP on loopback: takes every mail for anybody and puts it into the mailbox."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiosmtpd.smtp import SMTP, Envelope, Session

from farm.sandbox.mailbox.mails import Mails

LARGEST_MAIL = 5 * 1024 * 1024


class _Postman:
    def __init__(self, mails: Mails) -> None:
        self._mails = mails

    async def handle_DATA(  # noqa: N802  (the name is aiosmtpd's)
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        raw = content.encode() if isinstance(content, str) else content or b""
        number = self._mails.deliver(raw, tuple(envelope.rcpt_tos))
        return f"250 OK, in the mailbox as {number}"


@asynccontextmanager
async def receiving(mails: Mails, listening: socket.socket) -> AsyncIterator[None]:
    """Mail is taken on this socket inside."""
    loop = asyncio.get_running_loop()
    postman = _Postman(mails)
    server = await loop.create_server(
        lambda: SMTP(
            postman,
            data_size_limit=LARGEST_MAIL,
            enable_SMTPUTF8=True,
            hostname="sandbox.localhost",
            loop=loop,
        ),
        sock=listening,
    )
    try:
        yield
    finally:
        server.close()
