"""Firewalls of a project: their rules, and what they are applied to."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from farm.sandbox.faults import ActionFault
from farm.sandbox.hetzner.body import Body
from farm.sandbox.hetzner.cloud import HetznerCloud
from farm.sandbox.hetzner.errors import ApiError, invalid_input, not_unique
from farm.sandbox.hetzner.labels import parse_selector
from farm.sandbox.hetzner.records import Action, Command, Firewall, Project, Rule, Target
from farm.sandbox.hetzner.rules import LAST_PORT, check_width
from farm.sandbox.store import living

PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
PROTOCOLS = ("tcp", "udp", "icmp", "esp", "gre")
MAX_RULES = 50
MAX_NETWORKS = 100


@dataclass(frozen=True, slots=True)
class Reach:
    """What a firewall is to protect: servers by id, and label selectors."""

    servers: tuple[int, ...]
    selectors: tuple[str, ...]


def create_firewall(
    cloud: HetznerCloud, project: Project, body: Body, fault: ActionFault | None
) -> tuple[Firewall, tuple[Action, ...]]:
    """A new firewall, applied to what the order names."""
    name = body.name()
    _check_unique(cloud, project.id, name)
    reach = read_reach(cloud, project, body.parts("apply_to"))
    firewall = cloud.books.firewalls.put(
        Firewall(
            id=cloud.books.next_id(),
            project=project.id,
            name=name,
            created=cloud.books.now(),
            labels=body.labels(),
            rules=read_rules(body.parts("rules")),
            servers=reach.servers,
            selectors=reach.selectors,
        )
    )
    commands = [Command.SET_FIREWALL_RULES]
    commands += [Command.APPLY_FIREWALL] if reach.servers or reach.selectors else []
    return firewall, tuple(_begin(cloud, firewall, command, fault) for command in commands)


def rename_firewall(cloud: HetznerCloud, firewall: Firewall, body: Body) -> Firewall:
    """Give it another name or other labels."""
    name = body.name(firewall.name)
    if name != firewall.name:
        _check_unique(cloud, firewall.project, name)
    labels = body.labels(default=firewall.labels)
    return cloud.books.firewalls.put(replace(firewall, name=name, labels=labels))


def delete_firewall(cloud: HetznerCloud, firewall: Firewall) -> None:
    """Remove one that protects nothing."""
    if firewall.servers or firewall.selectors:
        raise ApiError(422, "resource_in_use", "firewall is still in use")
    cloud.books.firewalls.put(replace(firewall, deleted=cloud.books.now()))


def set_rules(
    cloud: HetznerCloud, firewall: Firewall, body: Body, fault: ActionFault | None
) -> tuple[Action, ...]:
    """Replace all rules."""
    rules = read_rules(body.parts("rules"))
    kept = cloud.books.firewalls.put(replace(firewall, rules=rules))
    return (_begin(cloud, kept, Command.SET_FIREWALL_RULES, fault),)


def apply_firewall(
    cloud: HetznerCloud, firewall: Firewall, reach: Reach, fault: ActionFault | None
) -> tuple[Action, ...]:
    """Protect more than before."""
    kept = cloud.books.firewalls.put(
        replace(
            firewall,
            servers=tuple(dict.fromkeys((*firewall.servers, *reach.servers))),
            selectors=tuple(dict.fromkeys((*firewall.selectors, *reach.selectors))),
        )
    )
    return (_begin(cloud, kept, Command.APPLY_FIREWALL, fault),)


def remove_firewall(
    cloud: HetznerCloud, firewall: Firewall, reach: Reach, fault: ActionFault | None
) -> tuple[Action, ...]:
    """Protect less than before."""
    kept = cloud.books.firewalls.put(
        replace(
            firewall,
            servers=tuple(n for n in firewall.servers if n not in reach.servers),
            selectors=tuple(s for s in firewall.selectors if s not in reach.selectors),
        )
    )
    return (_begin(cloud, kept, Command.REMOVE_FIREWALL, fault),)


def read_reach(cloud: HetznerCloud, project: Project, parts: Sequence[Body]) -> Reach:
    """What apply_to or remove_from means; invalid_input if it names what is not there."""
    there = {server.id for server in living(cloud.books.servers, project.id)}
    servers: list[int] = []
    selectors: list[str] = []
    for part in parts:
        if part.text("type") == "server":
            servers.append(part.part("server").number("id"))
        elif part.text("type") == "label_selector":
            selectors.append(part.part("label_selector").text("selector"))
            parse_selector(selectors[-1])
        else:
            raise invalid_input("type", "must be server or label_selector")
    if missing := set(servers) - there:
        raise invalid_input("server", f"server with ID '{min(missing)}' not found")
    return Reach(tuple(servers), tuple(selectors))


def read_rules(parts: Sequence[Body]) -> tuple[Rule, ...]:
    """The rules as they were sent; invalid_input for one that is none."""
    if len(parts) > MAX_RULES:
        raise invalid_input("rules", f"at most {MAX_RULES} rules are allowed")
    return tuple(check_width(_read_rule(part)) for part in parts)


def _read_rule(part: Body) -> Rule:
    direction, protocol = part.text("direction"), part.text("protocol")
    if direction not in ("in", "out"):
        raise invalid_input("rules", "direction must be in or out")
    if protocol not in PROTOCOLS:
        raise invalid_input("rules", f"protocol must be one of {', '.join(PROTOCOLS)}")
    return Rule(
        direction=direction,
        protocol=protocol,
        port=_ports(part, protocol),
        source_ips=tuple(_networks(part.texts("source_ips"), needed=direction == "in")),
        destination_ips=tuple(_networks(part.texts("destination_ips"), needed=direction == "out")),
        description=part.text("description", "") or None,
    )


def _ports(part: Body, protocol: str) -> str | None:
    if protocol not in ("tcp", "udp"):
        return None
    text = part.text("port").replace("any", f"1-{LAST_PORT}")
    match = PORTS.fullmatch(text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= LAST_PORT:
        raise invalid_input("rules", f"'{text}' is not a port or a range of ports")
    return text


def _networks(texts: Sequence[str], *, needed: bool) -> Iterable[str]:
    if (needed and not texts) or len(texts) > MAX_NETWORKS:
        raise invalid_input("rules", f"1 to {MAX_NETWORKS} networks are required")
    for text in texts:
        try:
            ipaddress.ip_network(text)
        except ValueError:
            raise invalid_input("rules", f"'{text}' is not a network in CIDR notation") from None
        yield text


def _check_unique(cloud: HetznerCloud, project: int, name: str) -> None:
    if any(other.name == name for other in living(cloud.books.firewalls, project)):
        raise not_unique("firewall")


def _begin(
    cloud: HetznerCloud, firewall: Firewall, command: Command, fault: ActionFault | None
) -> Action:
    target = [Target("firewall", firewall.id)]
    action = cloud.orders.begin(firewall.project, command, target, fault)
    cloud.orders.follow(action)
    return action
