"""The one client for requests of the farm that a member can steer: model keys and bot tokens.

It connects to the address it checked, never to one that a second look at the name would give.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
from django.conf import settings

MOST_BYTES = 256 * 1024
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

# At INFO it would write every address into the log, and a bot's token is part of one.
logging.getLogger("httpx").setLevel(logging.WARNING)


class Unreachable(Exception):  # noqa: N818
    """No whole answer came. `maybe_received` if the request may have had its effect."""

    def __init__(self, message: str, *, maybe_received: bool = False) -> None:
        super().__init__(message)
        self.maybe_received = maybe_received


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask. `timeout` is in seconds and bounds the whole exchange, not each byte."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    timeout: float = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and at most 256 KiB of body."""

    status: int
    body: bytes


def fetch(request: Request) -> Answer:
    """The answer of a server in the open internet, or of an endpoint the operator configured.

    Follows no redirect. Raises Unreachable; nothing of the address is in its message, since a
    bot token is part of one.
    """
    url = httpx.URL(request.url)
    address = _checked_address(url)
    deadline = time.monotonic() + request.timeout
    pinned = url.copy_with(host=address)
    headers = {**request.headers, "Host": url.netloc.decode()}
    try:
        with (
            httpx.Client(timeout=request.timeout, trust_env=False) as client,
            client.stream(
                request.method,
                pinned,
                headers=headers,
                content=request.body,
                extensions={"sni_hostname": url.host},
            ) as response,
        ):
            return Answer(response.status_code, _bounded(response, deadline))
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise Unreachable(f"{url.host} cannot be reached") from error
    except httpx.HTTPError as error:
        raise Unreachable(f"{url.host} did not answer", maybe_received=True) from error


def _bounded(response: httpx.Response, deadline: float) -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Unreachable(
                "the answer is larger than any this farm expects", maybe_received=True
            )
        if time.monotonic() > deadline:
            raise Unreachable("the answer took too long", maybe_received=True)
    return bytes(body)


def _checked_address(url: httpx.URL) -> str:
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{url.host} has no address") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not _configured(url) and not all(_is_public(address) for address in addresses):
        raise Unreachable(f"{url.host} is not on the open internet")
    return addresses[0]


def _is_public(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    within = _ipv4_in(parsed) if isinstance(parsed, ipaddress.IPv6Address) else None
    reached = within or parsed
    return reached.is_global and not reached.is_multicast


def _ipv4_in(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The address that a packet to this one ends at where it is translated or tunnelled."""
    if address in NAT64 or int(address) >> 32 == 0:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _configured(url: httpx.URL) -> bool:
    """Whether the operator's environment names this very origin."""
    named = (
        settings.TELEGRAM_ENDPOINT,
        settings.SANDBOX_MODEL_ENDPOINT,
        *settings.MODEL_ENDPOINTS.values(),
    )
    origins = {(parsed.scheme, parsed.netloc) for name in named if (parsed := httpx.URL(name))}
    return (url.scheme, url.netloc) in origins
