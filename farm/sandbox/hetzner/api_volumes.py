"""The API's doors to block volumes that no server has."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from farm.sandbox.hetzner.calls import Call, answered, nothing
from farm.sandbox.hetzner.changes import done
from farm.sandbox.hetzner.errors import invalid_input, not_unique, protected, unsupported
from farm.sandbox.hetzner.records import Command, Target, Volume
from farm.sandbox.hetzner.render import action_json, volume_json
from farm.sandbox.store import living

SMALLEST_GB, LARGEST_GB = 10, 10240
STATUSES = ("creating", "available")


def _volume(call: Call) -> Volume:
    books = call.cloud.books
    return books.mine(books.volumes, call.project.id, call.number("volume"), "volume")


async def list_volumes(call: Call) -> web.Response:
    """Filtered by name, labels and status."""
    named, selects, wanted = call.asked("name"), call.selects(), call.asked("status", STATUSES)
    there = [
        volume
        for volume in living(call.cloud.books.volumes, call.project.id)
        if named(volume.name) and selects(volume.labels) and wanted("available")
    ]
    page = call.page(there, {"id": lambda v: v.id, "name": lambda v: v.name})
    catalog = call.cloud.books.catalog
    return call.listed("volumes", page, [volume_json(catalog, one) for one in page.items])


async def get_volume(call: Call) -> web.Response:
    """One volume."""
    return answered({"volume": volume_json(call.cloud.books.catalog, _volume(call))})


async def post_volume(call: Call) -> web.Response:
    """A new one; it is charged for from here on."""
    body, books = call.body, call.cloud.books
    if body.has("server"):
        raise unsupported("volumes of a server")
    size, place = body.number("size"), books.catalog.location(body.id_or_name("location"))
    if not SMALLEST_GB <= size <= LARGEST_GB:
        raise invalid_input("size", f"must be within {SMALLEST_GB} and {LARGEST_GB}")
    if place is None:
        raise invalid_input("location", "location not found")
    _check_name(call, body.name())
    volume = books.volumes.put(
        Volume(
            id=books.next_id(),
            project=call.project.id,
            name=body.name(),
            created=books.now(),
            size=size,
            location=place.name,
            labels=body.labels(),
            format=body.text("format") if body.has("format") else None,
            rate_gb_month=books.catalog.volume_gb_month,
        )
    )
    target = Target("volume", volume.id)
    action = done(call.cloud, call.project.id, Command.CREATE_VOLUME, target)
    shown = volume_json(books.catalog, volume)
    return answered({"volume": shown, "action": action_json(action), "next_actions": []}, 201)


async def update_volume(call: Call) -> web.Response:
    """Another name, other labels."""
    volume, books = _volume(call), call.cloud.books
    name = call.body.name(volume.name)
    if name != volume.name:
        _check_name(call, name)
    labels = call.body.labels(default=volume.labels)
    kept = books.volumes.put(replace(volume, name=name, labels=labels))
    return answered({"volume": volume_json(books.catalog, kept)})


async def remove_volume(call: Call) -> web.Response:
    """Delete it."""
    volume, books = _volume(call), call.cloud.books
    if volume.protected:
        raise protected("volume")
    books.volumes.put(replace(volume, deleted=books.now()))
    return nothing()


async def protect_volume(call: Call) -> web.Response:
    """Protect it against its deletion, or no longer."""
    volume, books = _volume(call), call.cloud.books
    wish = call.body.flag("delete", default=volume.protected)
    books.volumes.put(replace(volume, protected=wish))
    target = Target("volume", volume.id)
    action = done(call.cloud, volume.project, Command.CHANGE_PROTECTION, target)
    return answered({"action": action_json(action)}, 201)


def _check_name(call: Call, name: str) -> None:
    there = living(call.cloud.books.volumes, call.project.id)
    if any(volume.name == name for volume in there):
        raise not_unique("volume")
