"""What of ours is at Scaleway: found by our tags, since names there are not unique."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from scaleway.block.v1 import Snapshot, Volume
from scaleway.instance.v1 import Image, Ip, Server, ServerAction

from provisioning.errors import NeedsOperator
from provisioning.provider import Machine
from provisioning.scaleway_errors import absence_is_fine
from provisioning.scaleway_line import Lines, every
from provisioning.scaleway_values import (
    NAME_TAG,
    UNFINISHED,
    machine_of,
    name_in,
    remnant_of,
    state_of,
)

Tagged = TypeVar("Tagged", Server, Ip, Volume, Snapshot, Image)
FREE = ("available", "error")
PROTECTED = "It is protected in the Scaleway Console: lift the protection there."


def servers_with(lines: Lines, zone: str, tags: Sequence[str]) -> list[Server]:
    """The servers of a zone that carry all `tags`, the oldest first."""
    found = every(
        lambda page: lines.instance.list_servers(zone=zone, tags=list(tags), page=page),
        lambda page: page.servers,
    )
    return sorted(_tagged(found, tags), key=lambda server: (server.creation_date, server.id))


def ips_with(lines: Lines, zone: str, tags: Sequence[str]) -> list[Ip]:
    """The addresses of a zone that carry all `tags`."""
    found = every(
        lambda page: lines.instance.list_ips(zone=zone, tags=list(tags), page=page),
        lambda page: page.ips,
    )
    return _tagged(found, tags)


def volumes_with(lines: Lines, zone: str, tags: Sequence[str]) -> list[Volume]:
    """The block volumes of a zone that carry all `tags`."""
    found = every(
        lambda page: lines.block.list_volumes(
            zone=zone, tags=list(tags), include_deleted=False, page=page
        ),
        lambda page: page.volumes,
    )
    return _tagged(found, tags)


def snapshots_with(lines: Lines, zone: str, tags: Sequence[str]) -> list[Snapshot]:
    """The snapshots of a zone that carry all `tags`."""
    found = every(
        lambda page: lines.block.list_snapshots(
            zone=zone, tags=list(tags), include_deleted=False, page=page
        ),
        lambda page: page.snapshots,
    )
    return _tagged(found, tags)


def images_with(lines: Lines, zone: str, tags: Sequence[str]) -> list[Image]:
    """The project's own images in a zone that carry all `tags`."""
    found = every(
        lambda page: lines.instance.list_images(
            zone=zone, public=False, tags=",".join(tags) or None, page=page
        ),
        lambda page: page.images,
    )
    return _tagged(found, tags)


def found_in(lines: Lines, zone: str, name: str) -> Machine | None:
    """The machine of that name in a zone, whole or in part."""
    tags = [f"{NAME_TAG}={name}"]
    if servers := servers_with(lines, zone, tags):
        return machine_of(servers[0], zone)
    parts = ips_with(lines, zone, tags) or volumes_with(lines, zone, tags)
    return remnant_of(parts[0], zone) if parts else None


def machines_in(lines: Lines, zone: str, tags: Sequence[str]) -> Iterator[Machine]:
    """Every machine of a zone that carries all `tags`, and what is left of those that went."""
    names = set()
    for server in servers_with(lines, zone, tags):
        machine = machine_of(server, zone)
        if machine.name not in names:
            yield machine
        names.add(machine.name)
    for part in (*ips_with(lines, zone, tags), *volumes_with(lines, zone, tags)):
        if (name := name_in(part.tags)) and name not in names:
            names.add(name)
            yield remnant_of(part, zone)


def mark_volumes(lines: Lines, zone: str, server: Server) -> None:
    """Have the server's volumes carry its tags: once they are detached nothing else tells whose."""
    tags = [tag for tag in server.tags if tag != UNFINISHED]
    for volume in server.volumes.values():
        if str(volume.volume_type) == "sbs_volume":
            lines.block.update_volume(zone=zone, volume_id=volume.id, tags=tags)


def end_all(lines: Lines, zone: str, name: str) -> None:
    """One more step towards nothing left of the machine of that name; safe to repeat at any point.

    The server goes first, with its volumes marked; then the volumes as they come free, and the
    addresses.
    """
    tags = [f"{NAME_TAG}={name}"]
    servers = servers_with(lines, zone, tags)
    for server in servers:
        end_server(lines, zone, server)
    if any(state_of(server) != "stopped" for server in servers):
        return
    for volume in volumes_with(lines, zone, tags):
        end_volume(lines, zone, volume)
    for ip in ips_with(lines, zone, tags):
        end_ip(lines, zone, ip.id)


def end_server(lines: Lines, zone: str, server: Server) -> None:
    """Terminate one that runs, delete one that is off, leave one on its way until it is there."""
    if server.protected:
        raise NeedsOperator("protected", PROTECTED)
    state = state_of(server)
    if UNFINISHED in server.tags:
        with absence_is_fine():
            mark_volumes(lines, zone, server)
    with absence_is_fine():
        if state == "stopped":
            lines.instance.delete_server(zone=zone, server_id=server.id)
        elif state in ("running", "stopped_in_place"):
            action = ServerAction.TERMINATE if state == "running" else ServerAction.POWEROFF
            lines.instance.server_action(zone=zone, server_id=server.id, action=action)


def end_volume(lines: Lines, zone: str, volume: Volume) -> None:
    """Delete a volume that is free; one that is still being detached waits for the next step."""
    if str(volume.status) in FREE:
        with absence_is_fine():
            lines.block.delete_volume(zone=zone, volume_id=volume.id)


def end_ip(lines: Lines, zone: str, ip_id: str) -> None:
    """Give an address back."""
    with absence_is_fine():
        lines.instance.delete_ip(zone=zone, ip=ip_id)


def _tagged(things: Sequence[Tagged], tags: Sequence[str]) -> list[Tagged]:
    """What the API's filter means by several tags is not left to it; pages may shift."""
    return list({one.id: one for one in things if set(tags) <= set(one.tags)}.values())
