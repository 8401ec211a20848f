"""Bringing one service up on one socket, taking it down quickly, and asking whether it answers."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from farm.sandbox.guests.base import GuestError
from farm.sandbox.options import SandboxError

ANSWER_DEADLINE = 20.0
SHUTDOWN_SECONDS = 1.0


def bound(service: str, port: int, listen: Callable[[int], socket.socket]) -> socket.socket:
    """The listening socket for `service`, or SandboxError that names a port already taken."""
    try:
        return listen(port)
    except OSError as error:
        raise SandboxError(_why_not(service, port, error)) from None
    except GuestError as error:
        raise SandboxError(f"Port {port} for the sandbox's {service}: {error}") from None


def loopback(port: int) -> socket.socket:
    """A listening socket that only this machine reaches."""
    return socket.create_server(("127.0.0.1", port), backlog=256)


def _why_not(service: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port}, which the sandbox needs for its {service}, is taken by another program:"
            f" stop that program, or give the {service} another port."
        )
    return f"Port {port} cannot be used for the sandbox's {service} ({error}): give another port."


@asynccontextmanager
async def serving(application: web.Application, listening: socket.socket) -> AsyncIterator[None]:
    """The HTTP service answers on this socket inside; afterwards its connections are closed."""
    runner = web.AppRunner(
        application, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_SECONDS
    )
    try:
        await runner.setup()
        await web.SockSite(runner, listening).start()
        yield
    finally:
        await runner.cleanup()
        listening.close()


async def greet_mail(port: int) -> None:
    """Return once the mail server at this port says 220 and goodbye."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(ANSWER_DEADLINE):
            await reader.readuntil(b"\n")
            writer.write(b"QUIT\r\n")
            await reader.readuntil(b"\n")
    finally:
        writer.close()


async def wait_until_answering(urls: tuple[str, ...]) -> None:
    """Return once each of these URLs answers anything at all; SandboxError names one that will not.

    Any status counts: a service that refuses without a key is there.
    """
    async with ClientSession(timeout=ClientTimeout(total=5)) as session:
        await asyncio.gather(*(_wait_for(session, url) for url in urls))


async def _wait_for(session: ClientSession, url: str) -> None:
    deadline = asyncio.get_running_loop().time() + ANSWER_DEADLINE
    while True:
        try:
            async with session.get(url, allow_redirects=False):
                return
        except (ClientError, OSError, TimeoutError) as error:
            if asyncio.get_running_loop().time() > deadline:
                raise SandboxError(
                    f"{url} does not answer ({error}): look whether a firewall of this machine"
                    " stops connections to its own addresses."
                ) from error
            await asyncio.sleep(0.05)
