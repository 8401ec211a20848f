"""The API's doors to addresses, security groups and a project's own images."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

from aiohttp import web

from farm.sandbox.guests.base import GuestError
from farm.sandbox.scaleway.body import Body
from farm.sandbox.scaleway.books import new_uid
from farm.sandbox.scaleway.calls import Call, answered, listed, nothing
from farm.sandbox.scaleway.errors import invalid, not_found, out_of_stock, precondition, unsupported
from farm.sandbox.scaleway.records import Group, Image, Ip, Rule
from farm.sandbox.scaleway.render import (
    group_json,
    image_json,
    ip_json,
    rules_json,
    system_image_json,
)
from farm.sandbox.store import living

WIDEST_RANGE = 1000
PROTOCOLS = ("TCP", "UDP", "ICMP", "ANY")


async def list_ips(call: Call) -> web.Response:
    """Filtered by tags."""
    call.check_project("project")
    books = call.cloud.books
    there = [
        ip
        for ip in living(books.ips, call.project.id)
        if ip.zone == call.zone and call.tagged(ip.tags)
    ]
    return listed(call, "ips", [ip_json(books, ip) for ip in there])


async def create_ip(call: Call) -> web.Response:
    """Reserve an address; it is charged for from here on."""
    call.check_project("project", "organization")
    if call.body.text("type", "routed_ipv4") != "routed_ipv4":
        raise unsupported("addresses other than routed_ipv4")
    books = call.cloud.books
    server = call.body.text("server", "")
    attached = books.server(call.project.id, call.zone, server).uid if server else None
    ip = books.ips.put(
        Ip(
            id=books.next_id(),
            uid=new_uid(),
            project=call.project.id,
            zone=call.zone,
            created=books.now(),
            address=_unused(call),
            tags=call.body.texts("tags"),
            rate=books.catalog.ipv4,
            server=attached,
            made_for=attached,
        )
    )
    return answered({"ip": ip_json(books, ip)}, 201)


def _unused(call: Call) -> str:
    try:
        return call.cloud.addresses.unused()
    except GuestError:
        raise out_of_stock("instance_ip") from None


def _ip(call: Call) -> Ip:
    return call.cloud.books.ip(call.project.id, call.zone, call.path["id"])


async def get_ip(call: Call) -> web.Response:
    """One address, by its id or by itself."""
    return answered({"ip": ip_json(call.cloud.books, _ip(call))})


async def update_ip(call: Call) -> web.Response:
    """Other tags."""
    body, ip = call.body, _ip(call)
    if body.has("server") or body.has("reverse"):
        raise unsupported("moving an address")
    kept = replace(ip, tags=body.texts("tags") if body.has("tags") else ip.tags)
    return answered({"ip": ip_json(call.cloud.books, call.cloud.books.ips.put(kept))})


async def delete_ip(call: Call) -> web.Response:
    """Give it back, attached or not."""
    books = call.cloud.books
    books.ips.put(replace(_ip(call), deleted=books.now(), server=None))
    return nothing()


async def list_groups(call: Call) -> web.Response:
    """Filtered by name and tags."""
    call.check_project("project")
    books = call.cloud.books
    books.default_group(call.project.id, call.zone)
    there = [
        group
        for group in living(books.groups, call.project.id)
        if group.zone == call.zone and call.wish("name") in group.name and call.tagged(group.tags)
    ]
    return listed(call, "security_groups", [group_json(books, group) for group in there])


async def create_group(call: Call) -> web.Response:
    """A group with no rule but those of default security."""
    call.check_project("project", "organization")
    body, books, now = call.body, call.cloud.books, call.cloud.books.now()
    group = books.groups.put(
        Group(
            id=books.next_id(),
            uid=new_uid(),
            project=call.project.id,
            zone=call.zone,
            name=body.text("name"),
            description=body.text("description", ""),
            created=now,
            modified=now,
            tags=body.texts("tags"),
            stateful=body.flag("stateful", default=True),
            inbound=_policy(body, "inbound_default_policy"),
            outbound=_policy(body, "outbound_default_policy"),
            default_security=body.flag("enable_default_security", default=True),
        )
    )
    return answered({"security_group": group_json(books, group)}, 201)


def _policy(body: Body, name: str) -> str:
    word = body.text(name, "accept")
    if word not in ("accept", "drop"):
        raise invalid(name)
    return word


def _group(call: Call) -> Group:
    return call.cloud.books.group(call.project.id, call.zone, call.path["id"])


async def get_group(call: Call) -> web.Response:
    """One group."""
    return answered({"security_group": group_json(call.cloud.books, _group(call))})


async def delete_group(call: Call) -> web.Response:
    """Remove one that no server is in."""
    group, books = _group(call), call.cloud.books
    if any(server.group == group.uid and server.deleted is None for server in books.servers):
        raise precondition("resource_still_in_use", "group is in use by a server")
    books.groups.put(replace(group, deleted=books.now()))
    return nothing()


async def list_rules(call: Call) -> web.Response:
    """The fixed ones first."""
    return listed(call, "rules", rules_json(_group(call)))


async def set_rules(call: Call) -> web.Response:
    """Replace all that can be edited."""
    rules = tuple(_read_rule(part) for part in call.body.parts("rules"))
    books = call.cloud.books
    group = books.groups.put(replace(_group(call), rules=rules, modified=books.now()))
    await call.cloud.switching.protect(group)
    return answered({"rules": rules_json(group)})


def _read_rule(part: Body) -> Rule:
    first = part.number("dest_port_from")
    last = part.number("dest_port_to") or first
    if first and last and not 0 <= last - first < WIDEST_RANGE:
        raise unsupported(f"port ranges wider than {WIDEST_RANGE} ports")
    try:
        source = str(ipaddress.ip_network(part.text("ip_range")))
    except ValueError:
        raise invalid("ip_range", "format") from None
    if part.text("protocol") not in PROTOCOLS:
        raise invalid("protocol")
    return Rule(
        uid=new_uid(),
        protocol=part.text("protocol"),
        direction=part.text("direction"),
        action=part.text("action"),
        ip_range=source,
        port_from=first,
        port_to=last,
    )


async def list_images(call: Call) -> web.Response:
    """The project's own; those of the marketplace are listed there."""
    call.check_project("project")
    books = call.cloud.books
    there = [
        image
        for image in living(books.images, call.project.id)
        if image.zone == call.zone and call.wish("name") in image.name and call.tagged(image.tags)
    ]
    return listed(call, "images", [image_json(books, image) for image in there])


async def get_image(call: Call) -> web.Response:
    """One image, the project's own or of the marketplace."""
    books, zone = call.cloud.books, call.zone
    system = books.catalog.image(call.path["id"], zone)
    if system:
        return answered({"image": system_image_json(system, zone, books.now())})
    image = books.image(call.project.id, zone, call.path["id"])
    return answered({"image": image_json(books, image)})


async def create_image(call: Call) -> web.Response:
    """An image that stands on a snapshot."""
    call.check_project("project", "organization")
    body, books = call.body, call.cloud.books
    snapshot = books.snapshot(call.project.id, call.zone, body.text("root_volume"))
    image = books.images.put(
        Image(
            id=books.next_id(),
            uid=new_uid(),
            project=call.project.id,
            zone=call.zone,
            name=body.text("name"),
            created=books.now(),
            tags=body.texts("tags"),
            arch=body.text("arch"),
            snapshot=snapshot.uid,
        )
    )
    return answered({"image": image_json(books, image)}, 201)


async def list_local_volumes(call: Call) -> web.Response:
    """None: every volume of this cloud is a block volume."""
    return listed(call, "volumes", [])


async def get_local_volume(call: Call) -> web.Response:
    """None either."""
    raise not_found("instance_volume", call.path["id"])


async def delete_image(call: Call) -> web.Response:
    """Remove it; its snapshot stays."""
    books = call.cloud.books
    image = books.image(call.project.id, call.zone, call.path["id"])
    books.images.put(replace(image, deleted=books.now()))
    return nothing()
