"""Who calls: the farm, whose calls alone pass the gate, a machine, or a page of another site."""

from __future__ import annotations

import ipaddress
import socket

from aiohttp import web

GUEST_HEADER = "X-Sandbox-Guest"
"""Carried by the requests of a simulated guest, which has no network of its own to come from."""


def host_addresses(service_host: str) -> frozenset[str]:
    """The addresses from which this machine itself reaches `service_host`.

    A real guest comes from its own address, so that its requests disturb no count of a test's.
    """
    return frozenset({"127.0.0.1", address_towards(service_host)})


def address_towards(host: str) -> str:
    """The address by which those at `host` see this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Connecting a datagram socket sends nothing: it only asks the system for the route.
        probe.connect((host, 9))
        address: str = probe.getsockname()[0]
        return address


def comes_from(request: web.Request, addresses: frozenset[str]) -> bool:
    """Whether the request was made from one of these addresses, and by no guest."""
    return GUEST_HEADER not in request.headers and request.remote in addresses


def asked_by_address(request: web.Request) -> bool:
    """Whether the page was asked for by an address, or localhost.

    A site elsewhere can have its own name lead here, and would then read what its visitor may.
    """
    host = request.url.host or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return True
