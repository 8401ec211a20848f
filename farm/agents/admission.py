"""From where gateways may be reached: the edge's addresses, added and removed in a safe order."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network

from django.conf import settings

from farm.agents.models import GatewayPass, ServerPhase

GONE = (ServerPhase.GONE, ServerPhase.LOST)


def gateway_sources(provider: str) -> Sequence[str]:
    """The addresses that a cloud's firewall lets through to gateways.

    A new address stands in the firewall before it is told to any gateway; one that left the list
    stays there until no gateway believes it any more.
    """
    told = GatewayPass.objects.filter(server__provider=provider).exclude(server__phase__in=GONE)
    believed = {one for text in told.values_list("addresses", flat=True) for one in text.split()}
    return sorted(believed | set(settings.EDGE_ADDRESSES))


def cidr(address: str) -> str:
    """An address or a network, as firewalls write it."""
    return str(ip_network(address, strict=False))
