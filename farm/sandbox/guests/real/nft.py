"""Writes the guests' firewalls as nftables text: pure, a guest's rules in a chain of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, ip_network

from farm.sandbox.guests.base import GuestRule
from farm.sandbox.guests.real.slices import WHOLE

HOST_LINK = "host"
UPLINK = "tap0"


def ruleset(host_addresses: Iterable[str]) -> str:
    """The table before any guest is plugged in.

    Guests answer this machine but never call it, neither over its own link nor by any of its
    addresses through the uplink, where other sandboxes' networks are shut as well.
    """
    fenced = ", ".join(sorted({str(WHOLE), *host_addresses}))
    return f"""
table inet cloud {{
  set fenced {{ type ipv4_addr; flags interval; auto-merge; elements = {{ {fenced} }}; }}
  map guests {{ type ifname : verdict; }}
  chain forward {{
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
    iifname != "{HOST_LINK}" oifname "{HOST_LINK}" drop
    iifname "{UPLINK}" drop
    oifname "{UPLINK}" ip daddr @fenced drop
    oifname vmap @guests
  }}
  chain uplink {{
    type nat hook postrouting priority srcnat; policy accept;
    oifname "{UPLINK}" masquerade
  }}
}}
"""


def refence(host_addresses: Iterable[str]) -> str:
    """Shut what addresses this machine has by now as well."""
    fenced = ", ".join(sorted({str(WHOLE), *host_addresses}))
    return f"add element inet cloud fenced {{ {fenced} }}\n"


def admission(link: str, rules: Sequence[GuestRule] | None) -> str:
    """From now on only `rules` let new connections in to the guest behind `link`."""
    chain = f"inet cloud {link}"
    lines = [f"add chain {chain}", f"flush chain {chain}"]
    lines += [f"add rule {chain} {line}" for line in _verdicts(rules)]
    lines.append(f'add element inet cloud guests {{ "{link}" : goto {link} }}')
    return "\n".join(lines) + "\n"


def removal(link: str) -> str:
    """Forget the guest behind `link`."""
    return (
        f'delete element inet cloud guests {{ "{link}" }}\n'
        f"flush chain inet cloud {link}\ndelete chain inet cloud {link}\n"
    )


def _verdicts(rules: Sequence[GuestRule] | None) -> list[str]:
    if rules is None:
        return ["accept"]
    opened = [(rule.port, source) for rule in rules for source in _ipv4(rule.sources)]
    return [f"ip saddr {source} tcp dport {port} accept" for port, source in opened] + ["drop"]


def _ipv4(sources: Iterable[str]) -> list[IPv4Network]:
    """Guests have no IPv6 address: what is said of it opens nothing."""
    networks = [ip_network(source, strict=False) for source in sources]
    return [network for network in networks if isinstance(network, IPv4Network)]
