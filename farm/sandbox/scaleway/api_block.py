"""The API's doors to block volumes and their snapshots."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from farm.sandbox.scaleway.books import new_uid
from farm.sandbox.scaleway.calls import Call, answered, counted, nothing
from farm.sandbox.scaleway.copies import copy_volume
from farm.sandbox.scaleway.errors import in_transit, invalid, precondition
from farm.sandbox.scaleway.records import Volume
from farm.sandbox.scaleway.render_block import snapshot_json, volume_json
from farm.sandbox.store import living

SMALLEST_VOLUME = 1_000_000_000


def _volume(call: Call) -> Volume:
    return call.cloud.books.volume(call.project.id, call.zone, call.path["id"])


async def list_volumes(call: Call) -> web.Response:
    """Filtered by name, tags and the server they are attached to."""
    call.check_project("project_id")
    books = call.cloud.books
    there = [
        volume
        for volume in living(books.volumes, call.project.id)
        if volume.zone == call.zone
        and call.wish("name") in volume.name
        and call.wish("product_resource_id") in ("", volume.server)
        and call.tagged(volume.tags)
    ]
    return counted(call, "volumes", [volume_json(books, volume) for volume in there])


async def get_volume(call: Call) -> web.Response:
    """One volume."""
    return answered(volume_json(call.cloud.books, _volume(call)))


async def create_volume(call: Call) -> web.Response:
    """A volume that no server has yet, empty or of a snapshot; it is charged for from here on."""
    call.check_project("project_id")
    body, books = call.body, call.cloud.books
    origin = body.part("from_snapshot")
    parent = None
    if body.has("from_snapshot"):
        uid = origin.text("snapshot_id")
        parent = books.snapshot(call.project.id, call.zone, uid)
    size = origin.number("size") or (parent.size if parent else None)
    size = size or body.part("from_empty").number("size") or 0
    if size < (parent.size if parent else SMALLEST_VOLUME):
        raise invalid("size")
    now = books.now()
    volume = books.volumes.put(
        Volume(
            id=books.next_id(),
            uid=new_uid(),
            project=call.project.id,
            zone=call.zone,
            name=body.text("name"),
            created=now,
            updated=now,
            size=size,
            tags=body.texts("tags"),
            rate=books.catalog.volume_gb,
            parent_snapshot=parent.uid if parent else None,
            server=None,
        )
    )
    return answered(volume_json(books, volume))


async def update_volume(call: Call) -> web.Response:
    """Another name, other tags."""
    body, volume, books = call.body, _volume(call), call.cloud.books
    changed = replace(
        volume,
        name=body.text("name", volume.name),
        tags=body.texts("tags") if body.has("tags") else volume.tags,
        updated=books.now(),
    )
    return answered(volume_json(books, books.volumes.put(changed)))


async def delete_volume(call: Call) -> web.Response:
    """Remove one that no server has."""
    volume, books = _volume(call), call.cloud.books
    if volume.detaching:
        raise in_transit("volume", volume.uid, "in_use")
    if volume.server is not None:
        raise precondition("resource_still_in_use", "volume is attached")
    books.volumes.put(replace(volume, deleted=books.now()))
    return nothing()


async def list_snapshots(call: Call) -> web.Response:
    """Filtered by name, tags and volume."""
    call.check_project("project_id")
    books = call.cloud.books
    there = [
        snapshot
        for snapshot in living(books.snapshots, call.project.id)
        if snapshot.zone == call.zone
        and call.wish("name") in snapshot.name
        and call.wish("volume_id") in ("", snapshot.volume)
        and call.tagged(snapshot.tags)
    ]
    return counted(call, "snapshots", [snapshot_json(books, one) for one in there])


async def get_snapshot(call: Call) -> web.Response:
    """One snapshot."""
    books = call.cloud.books
    snapshot = books.snapshot(call.project.id, call.zone, call.path["id"])
    return answered(snapshot_json(books, snapshot))


async def create_snapshot(call: Call) -> web.Response:
    """Begin a copy of a volume."""
    call.check_project("project_id")
    body, books = call.body, call.cloud.books
    volume = books.volume(call.project.id, call.zone, body.text("volume_id"))
    snapshot = copy_volume(call.cloud, volume, body.text("name"), body.texts("tags"), call.fault)
    return answered(snapshot_json(books, snapshot))


async def update_snapshot(call: Call) -> web.Response:
    """Another name, other tags."""
    body, books = call.body, call.cloud.books
    snapshot = books.snapshot(call.project.id, call.zone, call.path["id"])
    name = body.text("name", snapshot.name)
    tags = body.texts("tags") if body.has("tags") else snapshot.tags
    kept = books.snapshots.put(replace(snapshot, name=name, tags=tags))
    return answered(snapshot_json(books, kept))


async def delete_snapshot(call: Call) -> web.Response:
    """Remove one that no image stands on."""
    books = call.cloud.books
    snapshot = books.snapshot(call.project.id, call.zone, call.path["id"])
    images = living(books.images, call.project.id)
    if any(snapshot.uid in (image.snapshot, *image.extras) for image in images):
        raise precondition("resource_still_in_use", "snapshot is used by an image")
    await call.cloud.guests.delete_image(snapshot.guest_image)
    books.snapshots.put(replace(snapshot, deleted=books.now()))
    return nothing()
