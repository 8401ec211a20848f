"""The cloud's records as its instance API shows them."""

from __future__ import annotations

from datetime import datetime

from farm.sandbox.scaleway.books import Books, default_rules
from farm.sandbox.scaleway.catalog import SystemImage
from farm.sandbox.scaleway.records import Group, Image, Ip, Rule, Server, Snapshot, State
from farm.sandbox.scaleway.render_block import status_of
from farm.sandbox.wire import Json, JsonObject

SCALEWAY = "51b656e3-4865-41e8-adbc-0c45bdd780db"
ALLOWED = {
    State.STOPPED: ["poweron", "backup"],
    State.RUNNING: ["poweroff", "terminate", "reboot", "stop_in_place", "backup"],
    State.STANDBY: ["poweron", "poweroff", "terminate", "backup"],
}


def moment(at: datetime) -> str:
    """As the instance API writes times."""
    return at.isoformat()


def server_json(books: Books, server: Server) -> JsonObject:
    """A server as the instance API shows it."""
    owner = _owner(books, server.project)
    kind = books.catalog.server_type(server.commercial_type, server.zone)
    addresses: list[Json] = [_server_ip(ip) for ip in books.ips_of(server)]
    group = next((g for g in books.groups if g.uid == server.group), None)
    return {
        "id": server.uid,
        "name": server.name,
        "arch": kind.arch if kind else "x86_64",
        "commercial_type": server.commercial_type,
        "boot_type": "local",
        "organization": owner,
        "project": owner,
        "hostname": server.name,
        "image": _any_image(books, server),
        "volumes": _volumes(books, server),
        "tags": list(server.tags),
        "state": server.state.value,
        "protected": server.protected,
        "state_detail": server.detail,
        "public_ip": addresses[0] if addresses else None,
        "public_ips": addresses,
        "mac_address": f"de:00:00:{server.id >> 16 & 255:02x}:{server.id >> 8 & 255:02x}:"
        f"{server.id & 255:02x}",
        "routed_ip_enabled": True,
        "ipv6": None,
        "extra_networks": [],
        "dynamic_ip_required": False,
        "enable_ipv6": False,
        "private_ip": None,
        "creation_date": moment(server.created),
        "modification_date": moment(server.modified),
        "bootscript": None,
        "security_group": {"id": group.uid, "name": group.name} if group else None,
        "location": None,
        "maintenances": [],
        "allowed_actions": ALLOWED.get(server.state, []),
        "placement_group": None,
        "private_nics": [],
        "zone": server.zone,
        "filesystems": [],
        "end_of_service": False,
        "admin_password_encryption_ssh_key_id": None,
        "admin_password_encrypted_value": None,
    }


def ip_json(books: Books, ip: Ip) -> JsonObject:
    """An address as the instance API shows it."""
    server = books.server_with(ip.server)
    owner = _owner(books, ip.project)
    return {
        "id": ip.uid,
        "address": ip.address,
        "prefix": None,
        "reverse": None,
        "server": {"id": server.uid, "name": server.name} if server else None,
        "organization": owner,
        "project": owner,
        "zone": ip.zone,
        "type": "routed_ipv4",
        "state": "attached" if server else "detached",
        "tags": list(ip.tags),
        "ipam_id": ip.uid,
    }


def group_json(books: Books, group: Group) -> JsonObject:
    """A security group as the instance API shows it."""
    owner = _owner(books, group.project)
    servers: list[Json] = [
        {"id": server.uid, "name": server.name}
        for server in books.servers
        if server.group == group.uid and server.deleted is None
    ]
    return {
        "id": group.uid,
        "creation_date": moment(group.created),
        "modification_date": moment(group.modified),
        "name": group.name,
        "description": group.description,
        "organization": owner,
        "project": owner,
        "servers": servers,
        "stateful": group.stateful,
        "inbound_default_policy": group.inbound,
        "outbound_default_policy": group.outbound,
        "organization_default": group.is_default,
        "project_default": group.is_default,
        "enable_default_security": group.default_security,
        "state": "available",
        "tags": list(group.tags),
        "zone": group.zone,
    }


def rules_json(group: Group) -> list[JsonObject]:
    """Its rules, the fixed ones first."""
    fixed = default_rules(group)
    return [
        rule_json(rule, position, group.zone, editable=rule not in fixed)
        for position, rule in enumerate([*fixed, *group.rules], start=1)
    ]


def rule_json(rule: Rule, position: int, zone: str, *, editable: bool) -> JsonObject:
    """A rule; one for a single port has no upper end."""
    return {
        "id": rule.uid,
        "protocol": rule.protocol,
        "direction": rule.direction,
        "ip_range": rule.ip_range,
        "dest_ip_range": None,
        "dest_port_from": rule.port_from,
        "dest_port_to": rule.port_to if rule.port_to != rule.port_from else None,
        "position": position,
        "editable": editable,
        "action": rule.action,
        "zone": zone,
    }


def image_json(books: Books, image: Image) -> JsonObject:
    """A project's own image."""
    known = {snapshot.uid: snapshot for snapshot in books.snapshots}
    snapshot, owner = known[image.snapshot], _owner(books, image.project)
    extras = {str(place): known[uid] for place, uid in enumerate(image.extras, start=1)}
    return {
        "id": image.uid,
        "name": image.name,
        "organization": owner,
        "project": owner,
        "root_volume": _part(snapshot),
        "extra_volumes": {place: _part(extra) for place, extra in extras.items()},
        "public": False,
        "arch": image.arch,
        "creation_date": moment(image.created),
        "modification_date": moment(image.created),
        "default_bootscript": None,
        "from_server": "",
        "state": status_of(snapshot),
        "tags": list(image.tags),
        "zone": image.zone,
    }


def _part(snapshot: Snapshot) -> JsonObject:
    return {
        "id": snapshot.uid,
        "name": snapshot.name,
        "volume_type": "sbs_snapshot",
        "size": snapshot.size,
    }


def system_image_json(image: SystemImage, zone: str, created: datetime) -> JsonObject:
    """An image of the marketplace."""
    return {
        "id": image.uid(zone),
        "name": image.name,
        "organization": SCALEWAY,
        "project": SCALEWAY,
        "root_volume": {
            "volume_type": "sbs_snapshot",
            "id": image.snapshot_uid(zone),
            "size": 0,
            "name": "",
        },
        "extra_volumes": {},
        "public": True,
        "arch": "x86_64",
        "creation_date": moment(created),
        "modification_date": moment(created),
        "default_bootscript": None,
        "from_server": "",
        "state": "available",
        "tags": [],
        "zone": zone,
    }


def _any_image(books: Books, server: Server) -> JsonObject | None:
    system = books.catalog.image(server.image, server.zone)
    if system:
        return system_image_json(system, server.zone, server.created)
    own = next((image for image in books.images if image.uid == server.image), None)
    return image_json(books, own) if own else None


def _volumes(books: Books, server: Server) -> JsonObject:
    there = {volume.uid: volume for volume in books.volumes_of(server)}
    return {
        str(place): {
            "boot": False,
            "volume_type": "sbs_volume",
            "id": uid,
            "state": "available",
            "zone": server.zone,
        }
        for place, uid in enumerate(server.volumes)
        if uid in there
    }


def _server_ip(ip: Ip) -> JsonObject:
    return {
        "id": ip.uid,
        "address": ip.address,
        "dynamic": False,
        "gateway": "62.210.0.1",
        "netmask": "32",
        "family": "inet",
        "provisioning_mode": "dhcp",
        "tags": list(ip.tags),
        "state": "attached",
        "ipam_id": ip.uid,
    }


def _owner(books: Books, number: int) -> str:
    project = books.projects.get(number)
    return project.uid if project else ""
