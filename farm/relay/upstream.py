"""The call to the provider: begun with the real key, its answer read as it comes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpcore

CONNECT_SECONDS = 10
SILENT_SECONDS = 300
"""How long a provider may think before its next byte."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What is sent, to an address below the provider's endpoint."""

    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@asynccontextmanager
async def sent(
    pool: httpcore.AsyncConnectionPool, sending: Sending
) -> AsyncIterator[httpcore.Response]:
    """The answer's head; its body is still to be read. Raises httpcore's errors, and Fenced."""
    timeouts = {
        "connect": CONNECT_SECONDS,
        "read": SILENT_SECONDS,
        "write": SILENT_SECONDS,
        "pool": CONNECT_SECONDS,
    }
    headers = [
        *sending.headers,
        ("Content-Type", "application/json"),
        ("Accept-Encoding", "identity"),
        ("User-Agent", "agent-farm"),
    ]
    async with pool.stream(
        "POST",
        sending.url,
        headers=headers,
        content=sending.body,
        extensions={"timeout": timeouts},
    ) as response:
        yield response


def headers_of(response: httpcore.Response) -> Mapping[str, str]:
    """By their names in small letters; the last of several counts."""
    return dict(_headers(response))


def _headers(response: httpcore.Response) -> Iterator[tuple[str, str]]:
    for name, value in response.headers:
        yield name.decode("latin-1").lower(), value.decode("latin-1")
