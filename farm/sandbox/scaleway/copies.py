"""Copies of volumes: snapshots, and the images of whole servers that stand on them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from farm.sandbox.faults import ActionFault
from farm.sandbox.guests.base import GuestError
from farm.sandbox.scaleway.books import new_uid
from farm.sandbox.scaleway.cloud import ScalewayCloud
from farm.sandbox.scaleway.errors import precondition
from farm.sandbox.scaleway.records import Image, Server, Snapshot, Volume

log = logging.getLogger(__name__)


def copy_volume(
    cloud: ScalewayCloud, volume: Volume, name: str, tags: Sequence[str], fault: ActionFault | None
) -> Snapshot:
    """Begin a copy of a volume: of the machine's disk, or of nothing where it was never used."""
    books = cloud.books
    server = books.server_with(volume.server)
    holds = server is not None and server.made and server.volumes[:1] == (volume.uid,)
    if volume.parent_snapshot and server is None:
        raise precondition("attribute_must_be_set", "this sandbox copies disks of machines only")
    number = books.next_id()
    snapshot = books.snapshots.put(
        Snapshot(
            id=number,
            uid=new_uid(),
            project=volume.project,
            zone=volume.zone,
            name=name,
            created=books.now(),
            size=volume.size,
            tags=tuple(tags),
            volume=volume.uid,
            guest_image=f"image-{number}" if holds else "",
            rate=books.catalog.snapshot_gb,
            server=server.uid if server else None,
        )
    )
    cloud.switching.spawn(_copy(cloud, server if holds else None, snapshot, fault))
    return snapshot


async def _copy(
    cloud: ScalewayCloud, server: Server | None, snapshot: Snapshot, fault: ActionFault | None
) -> None:
    books = cloud.books
    failed = bool(fault and fault.code)
    try:
        await books.clock.sleep(fault.delay if fault else 0)
        if server and not failed:
            await cloud.guests.snapshot(server.id, snapshot.guest_image)
    except GuestError:
        log.exception("The snapshot %s failed.", snapshot.name)
        failed = True
    kept = books.snapshots.get(snapshot.id) or snapshot
    books.snapshots.put(replace(kept, ready=not failed, failed=failed))


def back_up(cloud: ScalewayCloud, server: Server, name: str, fault: ActionFault | None) -> Image:
    """Begin an image of a server: a copy of each of its volumes, the root first."""
    books = cloud.books
    volumes = sorted(books.volumes_of(server), key=lambda v: server.volumes.index(v.uid))
    if not volumes:
        raise precondition("attribute_must_be_set", "the server has no volume")
    copies = [copy_volume(cloud, one, f"{name}_snap_{one.name}", (), fault) for one in volumes]
    kind = books.catalog.server_type(server.commercial_type, server.zone)
    return books.images.put(
        Image(
            id=books.next_id(),
            uid=new_uid(),
            project=server.project,
            zone=server.zone,
            name=name,
            created=books.now(),
            tags=(),
            arch=kind.arch if kind else "x86_64",
            snapshot=copies[0].uid,
            extras=tuple(copy.uid for copy in copies[1:]),
        )
    )
