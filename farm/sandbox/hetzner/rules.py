"""Firewalls of the cloud as the machines' network understands them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from farm.sandbox.guests.base import GuestRule
from farm.sandbox.hetzner.errors import unsupported
from farm.sandbox.hetzner.records import Firewall, Rule

LAST_PORT = 65535
WIDEST_RANGE = 1000


def guest_rules(firewalls: Sequence[Firewall]) -> tuple[GuestRule, ...] | None:
    """Who may reach which TCP port of a machine behind all of these; None without any firewall."""
    if not firewalls:
        return None
    return tuple(
        GuestRule(port=port, sources=rule.source_ips)
        for firewall in firewalls
        for rule in firewall.rules
        if rule.direction == "in" and rule.protocol == "tcp"
        for port in ports(rule)
    )


def ports(rule: Rule) -> Iterable[int]:
    """The ports of a TCP rule."""
    first, _, last = (rule.port or "").partition("-")
    return range(int(first), int(last or first) + 1)


def check_width(rule: Rule) -> Rule:
    """The rule, unless it opens more ports than the machines' network keeps one by one."""
    if rule.protocol == "tcp" and len(tuple(ports(rule))) > WIDEST_RANGE:
        raise unsupported(f"port ranges wider than {WIDEST_RANGE} ports")
    return rule
