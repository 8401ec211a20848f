"""Where a request of the farm that a member can steer may go: the open internet, and not to us."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
OWN_NAMES_SECONDS = 60


class Fenced(Exception):  # noqa: N818
    """The name has no address, or one that the farm does not let itself be led to."""


def checked_addresses(host: str, port: int) -> Sequence[str]:
    """The addresses of `host`, to connect to as they are: a second look might give others.

    A host and port that the operator's environment names may be anywhere. Raises Fenced, which says
    why.
    """
    found = _addresses(host, port)
    if not found:
        raise Fenced(f"{host} has no address")
    if not is_configured(host, port):
        if not all(is_public(address) for address in found):
            raise Fenced(f"{host} is not on the open internet")
        if _is_ours(found):
            raise Fenced(f"{host} is the farm itself, or one of its machines")
    return found


def is_public(address: str) -> bool:
    """Whether the address is one of the open internet, however it is wrapped."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    within = _ipv4_in(parsed) if isinstance(parsed, ipaddress.IPv6Address) else None
    reached = within or parsed
    return reached.is_global and not reached.is_multicast


def is_configured(host: str, port: int) -> bool:
    """Whether the operator's environment names this very host and port."""
    named = (
        settings.TELEGRAM_ENDPOINT,
        settings.SLACK_ENDPOINT,
        settings.SANDBOX_MODEL_ENDPOINT,
        *settings.MODEL_ENDPOINTS.values(),
    )
    return (host, port) in {_origin(name) for name in named if name}


def _origin(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    usual = 443 if parts.scheme == "https" else 80
    return parts.hostname or "", parts.port or usual


def _addresses(host: str, port: int) -> Sequence[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def _ipv4_in(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The address that a packet to this one ends at where it is translated or tunnelled."""
    if address in NAT64 or int(address) >> 32 == 0:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _is_ours(addresses: Iterable[str]) -> bool:
    """Whether one of them is the farm's own, or a machine's of the fleet."""
    wrapped = {_plain(address) for address in addresses}
    if wrapped & _own_addresses(int(time.monotonic()) // OWN_NAMES_SECONDS):
        return True
    # The rooms above are asked by name: this file is read by all of them.
    fleet = apps.get_model("agents", "Server").objects.filter(gone_at=None, ipv4__in=wrapped)
    return bool(fleet.exists())


def _plain(address: str) -> str:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    within = _ipv4_in(parsed) if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(within or parsed)


@lru_cache(maxsize=1)
def _own_addresses(_minute: int) -> frozenset[str]:
    """What the farm's own names lead to, looked up once a minute; its edge among them."""
    urls = (settings.SITE_URL, settings.RELAY_URL)
    hosts = {urlsplit(url).hostname or "" for url in urls}
    hosts |= {f"any.{settings.AGENTS_DOMAIN}", *settings.EDGE_ADDRESSES}
    return frozenset(_plain(address) for host in hosts for address in _addresses(host, 443))
