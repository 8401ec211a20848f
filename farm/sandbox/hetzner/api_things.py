"""The API's doors to images, firewalls, primary IPs and SSH keys."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from farm.sandbox.hetzner.addresses import reserve_ip
from farm.sandbox.hetzner.calls import Call, answered, nothing
from farm.sandbox.hetzner.changes import protect_image, protect_ip
from farm.sandbox.hetzner.errors import ApiError, not_unique, protected
from farm.sandbox.hetzner.firewalls import (
    apply_firewall,
    create_firewall,
    delete_firewall,
    read_reach,
    remove_firewall,
    rename_firewall,
    set_rules,
)
from farm.sandbox.hetzner.images import delete_image, image_with, images_of, relabel_image
from farm.sandbox.hetzner.keys import create_key, rename_key
from farm.sandbox.hetzner.records import Firewall, Image, PrimaryIp, SshKey
from farm.sandbox.hetzner.render import (
    action_json,
    firewall_json,
    image_json,
    primary_ip_json,
    ssh_key_json,
    status_of,
)
from farm.sandbox.store import living
from farm.sandbox.wire import JsonObject

IMAGE_TYPES = ("system", "app", "snapshot", "backup")
IMAGE_STATUSES = ("available", "creating", "unavailable")
ARCHITECTURES = ("x86", "arm")


def _image(call: Call) -> Image:
    return image_with(call.cloud, call.project, call.number("image"))


def _firewall(call: Call) -> Firewall:
    books = call.cloud.books
    return books.mine(books.firewalls, call.project.id, call.number("firewall"), "firewall")


def _primary_ip(call: Call) -> PrimaryIp:
    books = call.cloud.books
    return books.mine(books.primary_ips, call.project.id, call.number("primary IP"), "primary IP")


def _key(call: Call) -> SshKey:
    books = call.cloud.books
    return books.mine(books.ssh_keys, call.project.id, call.number("SSH key"), "SSH key")


async def list_images(call: Call) -> web.Response:
    """Filtered by name, labels, type, status and architecture."""
    cloud = call.cloud
    named, selects = call.asked("name"), call.selects()
    typed, built = call.asked("type", IMAGE_TYPES), call.asked("architecture", ARCHITECTURES)
    wanted = call.asked("status", IMAGE_STATUSES)
    chosen = [
        image
        for image in images_of(cloud, call.project)
        if named(image.name)
        and typed(image.type)
        and built(image.architecture)
        and selects(image.labels)
        and wanted(status_of(cloud, image))
    ]
    keys = {
        "id": lambda i: i.id,
        "name": lambda i: i.name or "",
        "created": lambda i: i.created.isoformat(),
    }
    page = call.page(chosen, keys)
    return call.listed("images", page, [image_json(cloud, image) for image in page.items])


async def get_image(call: Call) -> web.Response:
    """One image."""
    return answered({"image": image_json(call.cloud, _image(call))})


async def update_image(call: Call) -> web.Response:
    """Another description, other labels."""
    image = relabel_image(call.cloud, _image(call), call.body)
    return answered({"image": image_json(call.cloud, image)})


async def remove_image(call: Call) -> web.Response:
    """Delete a snapshot."""
    await delete_image(call.cloud, _image(call))
    return nothing()


async def protect_one_image(call: Call) -> web.Response:
    """Protect a snapshot, or no longer."""
    action = protect_image(call.cloud, _image(call), call.body)
    return answered({"action": action_json(action)}, 201)


async def protect_one_ip(call: Call) -> web.Response:
    """Protect an address, or no longer."""
    action = protect_ip(call.cloud, _primary_ip(call), call.body)
    return answered({"action": action_json(action)}, 201)


async def list_firewalls(call: Call) -> web.Response:
    """Filtered by name and labels."""
    named, selects = call.asked("name"), call.selects()
    there = living(call.cloud.books.firewalls, call.project.id)
    page = call.page(
        [firewall for firewall in there if named(firewall.name) and selects(firewall.labels)],
        {"id": lambda f: f.id, "name": lambda f: f.name, "created": lambda f: f.id},
    )
    return call.listed("firewalls", page, [firewall_json(call.cloud, f) for f in page.items])


async def get_firewall(call: Call) -> web.Response:
    """One firewall."""
    return answered({"firewall": firewall_json(call.cloud, _firewall(call))})


async def post_firewall(call: Call) -> web.Response:
    """A new firewall."""
    firewall, actions = create_firewall(call.cloud, call.project, call.body, call.fault)
    body: JsonObject = {
        "firewall": firewall_json(call.cloud, firewall),
        "actions": [action_json(action) for action in actions],
    }
    return answered(body, 201)


async def update_firewall(call: Call) -> web.Response:
    """Another name, other labels."""
    firewall = rename_firewall(call.cloud, _firewall(call), call.body)
    return answered({"firewall": firewall_json(call.cloud, firewall)})


async def remove_one_firewall(call: Call) -> web.Response:
    """Delete a firewall that protects nothing."""
    delete_firewall(call.cloud, _firewall(call))
    return nothing()


async def act_on_firewall(call: Call) -> web.Response:
    """set_rules, apply_to_resources, remove_from_resources."""
    cloud, firewall, word = call.cloud, _firewall(call), call.path["command"]
    if word == "set_rules":
        actions = set_rules(cloud, firewall, call.body, call.fault)
    elif word == "apply_to_resources":
        reach = read_reach(cloud, call.project, call.body.parts("apply_to"))
        actions = apply_firewall(cloud, firewall, reach, call.fault)
    elif word == "remove_from_resources":
        reach = read_reach(cloud, call.project, call.body.parts("remove_from"))
        actions = remove_firewall(cloud, firewall, reach, call.fault)
    else:
        raise ApiError(404, "not_found", "api route not found")
    return answered({"actions": [action_json(action) for action in actions]}, 201)


async def list_primary_ips(call: Call) -> web.Response:
    """Filtered by name, labels and address."""
    named, selects, at = call.asked("name"), call.selects(), call.asked("ip")
    there = living(call.cloud.books.primary_ips, call.project.id)
    page = call.page(
        [ip for ip in there if named(ip.name) and selects(ip.labels) and at(ip.ip)],
        {"id": lambda ip: ip.id, "created": lambda ip: ip.id},
    )
    catalog = call.cloud.books.catalog
    return call.listed("primary_ips", page, [primary_ip_json(catalog, ip) for ip in page.items])


async def get_primary_ip(call: Call) -> web.Response:
    """One address."""
    return answered({"primary_ip": primary_ip_json(call.cloud.books.catalog, _primary_ip(call))})


async def post_primary_ip(call: Call) -> web.Response:
    """Reserve an address."""
    ip = reserve_ip(call.cloud, call.project, call.body)
    return answered({"primary_ip": primary_ip_json(call.cloud.books.catalog, ip)}, 201)


async def update_primary_ip(call: Call) -> web.Response:
    """Another name, other labels, another end."""
    ip, books = _primary_ip(call), call.cloud.books
    name = call.body.name(ip.name)
    if any(o.name == name and o.id != ip.id for o in living(books.primary_ips, ip.project)):
        raise not_unique("primary_ip")
    kept = books.primary_ips.put(
        replace(
            ip,
            name=name,
            labels=call.body.labels(default=ip.labels),
            auto_delete=call.body.flag("auto_delete", default=ip.auto_delete),
        )
    )
    return answered({"primary_ip": primary_ip_json(books.catalog, kept)})


async def remove_primary_ip(call: Call) -> web.Response:
    """Give back an address that no server uses."""
    ip, books = _primary_ip(call), call.cloud.books
    if ip.protected:
        raise protected("primary_ip")
    if ip.server is not None:
        raise ApiError(422, "must_be_unassigned", "primary IP must be unassigned")
    books.primary_ips.put(replace(ip, deleted=books.now()))
    return nothing()


async def list_keys(call: Call) -> web.Response:
    """Filtered by name, labels and fingerprint."""
    named, selects, printed = call.asked("name"), call.selects(), call.asked("fingerprint")
    there = living(call.cloud.books.ssh_keys, call.project.id)
    page = call.page(
        [k for k in there if named(k.name) and selects(k.labels) and printed(k.fingerprint)],
        {"id": lambda k: k.id, "name": lambda k: k.name},
    )
    return call.listed("ssh_keys", page, [ssh_key_json(key) for key in page.items])


async def get_key(call: Call) -> web.Response:
    """One key."""
    return answered({"ssh_key": ssh_key_json(_key(call))})


async def post_key(call: Call) -> web.Response:
    """Keep a key."""
    key = create_key(call.cloud, call.project, call.body)
    return answered({"ssh_key": ssh_key_json(key)}, 201)


async def update_key(call: Call) -> web.Response:
    """Another name, other labels."""
    return answered({"ssh_key": ssh_key_json(rename_key(call.cloud, _key(call), call.body))})


async def remove_key(call: Call) -> web.Response:
    """Forget a key."""
    books = call.cloud.books
    books.ssh_keys.put(replace(_key(call), deleted=books.now()))
    return nothing()
