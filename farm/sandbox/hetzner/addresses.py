"""Primary IPs: those that come with a server, and those that a project keeps."""

from __future__ import annotations

from collections.abc import Sequence

from farm.sandbox.guests.base import GuestError
from farm.sandbox.hetzner.body import Body
from farm.sandbox.hetzner.books import Books
from farm.sandbox.hetzner.catalog import Location
from farm.sandbox.hetzner.cloud import HetznerCloud
from farm.sandbox.hetzner.errors import ApiError, invalid_input, not_unique, unsupported
from farm.sandbox.hetzner.records import PrimaryIp, Project
from farm.sandbox.store import living


def automatic_ips(
    cloud: HetznerCloud, project: Project, server: int, place: Location, versions: Sequence[str]
) -> dict[str, PrimaryIp]:
    """An address of each of these versions; they vanish with their server."""
    return {
        version: _new_ip(
            cloud,
            project,
            version=version,
            place=place,
            name=None,
            labels={},
            auto_delete=True,
            server=server,
        )
        for version in versions
    }


def reserve_ip(cloud: HetznerCloud, project: Project, body: Body) -> PrimaryIp:
    """An address that a project keeps for itself until it deletes it."""
    if body.has("assignee_id"):
        raise unsupported("assigning an address to a server that runs")
    version = body.text("type")
    if version not in ("ipv4", "ipv6"):
        raise invalid_input("type", "must be ipv4 or ipv6")
    place = cloud.books.catalog.location(body.id_or_name("location"))
    if place is None:
        raise invalid_input("location", "location not found")
    name = body.name()
    if any(ip.name == name for ip in living(cloud.books.primary_ips, project.id)):
        raise not_unique("primary_ip")
    return _new_ip(
        cloud,
        project,
        version=version,
        place=place,
        name=name,
        labels=body.labels(),
        auto_delete=body.flag("auto_delete", default=False),
        server=None,
    )


def free_ip(
    books: Books, project: Project, number: int, version: str, place: Location
) -> PrimaryIp:
    """An address of the project that a new server at that place may take."""
    ip = books.mine(books.primary_ips, project.id, number, "primary IP")
    if ip.type != version:
        raise ApiError(412, "primary_ip_version_mismatch", "the primary IP has another version")
    if ip.server is not None:
        raise ApiError(422, "primary_ip_assigned", "the primary IP is already assigned")
    if ip.location != place.name:
        message = "the primary IP is in another location"
        raise ApiError(422, "primary_ip_datacenter_mismatch", message)
    return ip


def _new_ip(
    cloud: HetznerCloud,
    project: Project,
    *,
    version: str,
    place: Location,
    name: str | None,
    labels: dict[str, str],
    auto_delete: bool,
    server: int | None,
) -> PrimaryIp:
    books = cloud.books
    number = books.next_id()
    return books.primary_ips.put(
        PrimaryIp(
            id=number,
            project=project.id,
            name=name or f"primary_ip-{number}",
            created=books.now(),
            type=version,
            ip=_unused_ipv4(cloud) if version == "ipv4" else f"2001:db8:{number & 0xFFFF:x}::/64",
            location=place.name,
            labels=labels,
            auto_delete=auto_delete,
            rate=place.ipv4 if version == "ipv4" else None,
            server=server,
            made_for=server,
        )
    )


def _unused_ipv4(cloud: HetznerCloud) -> str:
    """An address of the machines' network that no project keeps."""
    try:
        return cloud.addresses.unused()
    except GuestError as full:
        raise ApiError(412, "resource_unavailable", str(full)) from full
