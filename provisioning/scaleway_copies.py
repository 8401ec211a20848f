"""Copies of disks at Scaleway: a snapshot of the block volume, and an image that stands on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from scaleway.block.v1 import Snapshot
from scaleway.instance.v1 import Arch, Image, Server

from provisioning.errors import Rejected
from provisioning.provider import Copy
from provisioning.scaleway_errors import absence_is_fine
from provisioning.scaleway_line import Lines
from provisioning.scaleway_parts import images_with, snapshots_with
from provisioning.scaleway_values import copy_of


def copies_in(lines: Lines, zone: str, tags: Sequence[str]) -> Iterator[Copy]:
    """Every copy in a zone that carries all `tags`."""
    snapshots = snapshots_with(lines, zone, tags)
    # An image bears the tags of its snapshot.
    images = _by_snapshot(images_with(lines, zone, tags)) if snapshots else {}
    for snapshot in snapshots:
        yield copy_of(snapshot, images.get(snapshot.id), zone)


def copied(
    lines: Lines, zone: str, servers: Sequence[Server], name: str, tags: Sequence[str]
) -> Copy:
    """The copy with these tags of the first server's root volume: found, made whole, or ordered."""
    there = snapshots_with(lines, zone, tags)
    snapshot = there[0] if there else _new_snapshot(lines, zone, servers, name, tags)
    image = _by_snapshot(images_with(lines, zone, tags)).get(snapshot.id)
    if image is None:
        arch = Arch(servers[0].arch) if servers else Arch.X86_64
        image = lines.instance.create_image(
            zone=zone, root_volume=snapshot.id, arch=arch, name=name, tags=list(tags)
        ).image
    return copy_of(snapshot, image, zone)


def end_copy(lines: Lines, zone: str, snapshot: str) -> None:
    """Remove the images of a snapshot, which hold it and cost nothing, and then itself."""
    for image in images_with(lines, zone, []):
        if image.root_volume and image.root_volume.id == snapshot:
            with absence_is_fine():
                lines.instance.delete_image(zone=zone, image_id=image.id)
    with absence_is_fine():
        lines.block.delete_snapshot(zone=zone, snapshot_id=snapshot)


def _new_snapshot(
    lines: Lines, zone: str, servers: Sequence[Server], name: str, tags: Sequence[str]
) -> Snapshot:
    volume = servers[0].volumes.get("0") if servers else None
    if volume is None:
        raise Rejected("not_found", f"There is no disk to copy in {zone}: its machine is gone.")
    return lines.block.create_snapshot(
        zone=zone, volume_id=volume.id, name=name, tags=list(tags), public=False
    )


def _by_snapshot(images: Sequence[Image]) -> Mapping[str, Image]:
    return {image.root_volume.id: image for image in images if image.root_volume}
