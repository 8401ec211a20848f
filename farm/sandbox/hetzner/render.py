"""The things of a project as the API shows them."""

from __future__ import annotations

from farm.sandbox.hetzner.catalog import Catalog
from farm.sandbox.hetzner.cloud import HetznerCloud
from farm.sandbox.hetzner.labels import parse_selector
from farm.sandbox.hetzner.records import (
    Action,
    Firewall,
    Image,
    PrimaryIp,
    Rule,
    Server,
    SshKey,
    Volume,
    shown_size,
)
from farm.sandbox.hetzner.render_catalog import (
    INCLUDED_TERABYTES,
    TERABYTE,
    deprecation,
    location_json,
    moment,
    server_type_json,
)
from farm.sandbox.store import living
from farm.sandbox.wire import Json, JsonObject


def action_json(action: Action) -> JsonObject:
    """How an action stands."""
    error = action.error
    return {
        "id": action.id,
        "command": action.command.value,
        "status": action.status,
        "progress": action.progress,
        "started": moment(action.started),
        "finished": moment(action.finished) if action.finished else None,
        "resources": [{"id": target.id, "type": target.type} for target in action.targets],
        "error": {"code": error.code, "message": error.message} if error else None,
    }


def server_json(cloud: HetznerCloud, server: Server) -> JsonObject:
    """A server."""
    catalog = cloud.books.catalog
    kind, place = catalog.server_type(server.server_type), catalog.location(server.location)
    image = cloud.books.images.get(server.image)
    zone = place.network_zone if place else ""
    return {
        "id": server.id,
        "name": server.name,
        "status": server.status.value,
        "created": moment(server.created),
        "public_net": _public_net(cloud, server),
        "private_net": [],
        "server_type": server_type_json(cloud.books, kind) if kind else None,
        "location": location_json(place) if place else None,
        "image": image_json(cloud, image) if image else None,
        "iso": None,
        "rescue_enabled": False,
        "locked": cloud.orders.locked(server),
        "backup_window": None,
        "outgoing_traffic": None,
        "ingoing_traffic": None,
        "included_traffic": INCLUDED_TERABYTES.get(zone, 1) * TERABYTE,
        "protection": {"delete": server.protected, "rebuild": server.protected},
        "labels": server.labels,
        "volumes": [],
        "load_balancers": [],
        "primary_disk_size": server.disk_gb or (kind.disk if kind else 0),
        "placement_group": None,
    }


def _public_net(cloud: HetznerCloud, server: Server) -> JsonObject:
    ipv4, ipv6 = (cloud.books.primary_ips.get(number) for number in (server.ipv4, server.ipv6))
    return {
        "ipv4": _address(ipv4, _reverse_name(ipv4)) if ipv4 else None,
        "ipv6": _address(ipv6, []) if ipv6 else None,
        "floating_ips": [],
        "firewalls": [
            {"id": firewall.id, "status": "pending" if cloud.orders.locked(server) else "applied"}
            for firewall in cloud.books.firewalls_on(server)
        ],
    }


def _address(ip: PrimaryIp, names: Json) -> JsonObject:
    return {"id": ip.id, "ip": ip.ip, "blocked": False, "dns_ptr": names}


def _reverse_name(ip: PrimaryIp) -> str:
    # The name ends in a reserved domain: nobody on the internet answers for it.
    return f"static.{'.'.join(reversed(ip.ip.split('.')))}.clients.example"


def primary_ip_json(catalog: Catalog, ip: PrimaryIp) -> JsonObject:
    """An address of the project."""
    place = catalog.location(ip.location)
    names: list[Json] = [{"ip": ip.ip, "dns_ptr": _reverse_name(ip)}] if ip.type == "ipv4" else []
    return {
        "id": ip.id,
        "name": ip.name,
        "labels": ip.labels,
        "created": moment(ip.created),
        "blocked": False,
        "location": location_json(place) if place else None,
        "ip": ip.ip,
        "dns_ptr": names,
        "protection": {"delete": ip.protected},
        "type": ip.type,
        "auto_delete": ip.auto_delete,
        "assignee_type": "server" if ip.server else "unassigned",
        "assignee_id": ip.server,
    }


def status_of(cloud: HetznerCloud, image: Image) -> str:
    """available, creating or unavailable."""
    if image.failed:
        return "unavailable"
    return "available" if cloud.available(image) else "creating"


def image_json(cloud: HetznerCloud, image: Image) -> JsonObject:
    """A system image or a snapshot."""
    listed = (one for one in cloud.books.catalog.images if one.name == image.name)
    end = next((one.retires for one in listed), None)
    made_from: Json = {"id": image.server, "name": image.server_name} if image.server else None
    return {
        "id": image.id,
        "type": image.type,
        "status": status_of(cloud, image),
        "name": image.name,
        "description": image.description,
        "image_size": shown_size(image),
        "disk_size": image.disk_gb,
        "created": moment(image.created),
        "created_from": made_from,
        "bound_to": None,
        "os_flavor": image.os_flavor,
        "os_version": image.os_version or None,
        "rapid_deploy": image.type == "system",
        "protection": {"delete": image.protected},
        "deprecation": deprecation(end) if end else None,
        "deleted": moment(image.deleted) if image.deleted else None,
        "labels": image.labels,
        "architecture": image.architecture,
    }


def firewall_json(cloud: HetznerCloud, firewall: Firewall) -> JsonObject:
    """A firewall with its rules and what it protects."""
    applied: list[Json] = [{"type": "server", "server": {"id": n}} for n in firewall.servers]
    applied += [_selector_json(cloud, firewall, text) for text in firewall.selectors]
    return {
        "id": firewall.id,
        "name": firewall.name,
        "labels": firewall.labels,
        "created": moment(firewall.created),
        "rules": [_rule_json(rule) for rule in firewall.rules],
        "applied_to": applied,
    }


def _selector_json(cloud: HetznerCloud, firewall: Firewall, text: str) -> JsonObject:
    means = parse_selector(text)
    return {
        "type": "label_selector",
        "label_selector": {"selector": text},
        "applied_to_resources": [
            {"type": "server", "server": {"id": server.id}}
            for server in living(cloud.books.servers, firewall.project)
            if means(server.labels)
        ],
    }


def _rule_json(rule: Rule) -> JsonObject:
    return {
        "direction": rule.direction,
        "protocol": rule.protocol,
        "port": rule.port,
        "source_ips": rule.source_ips,
        "destination_ips": rule.destination_ips,
        "description": rule.description,
    }


def volume_json(catalog: Catalog, volume: Volume) -> JsonObject:
    """A block volume."""
    place = catalog.location(volume.location)
    return {
        "id": volume.id,
        "name": volume.name,
        "created": moment(volume.created),
        "size": volume.size,
        "server": None,
        "location": location_json(place) if place else None,
        "linux_device": f"/dev/disk/by-id/scsi-0HC_Volume_{volume.id}",
        "protection": {"delete": volume.protected},
        "labels": volume.labels,
        "status": "available",
        "format": volume.format,
    }


def ssh_key_json(key: SshKey) -> JsonObject:
    """A public key."""
    return {
        "id": key.id,
        "name": key.name,
        "fingerprint": key.fingerprint,
        "public_key": key.public_key,
        "labels": key.labels,
        "created": moment(key.created),
    }
