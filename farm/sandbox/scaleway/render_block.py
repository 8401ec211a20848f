"""Volumes and snapshots as the block API shows them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from farm.sandbox.scaleway.books import Books
from farm.sandbox.scaleway.records import Snapshot, Volume
from farm.sandbox.wire import Json, JsonObject


def volume_json(books: Books, volume: Volume) -> JsonObject:
    """A volume, with the server that has it."""
    references: list[Json] = [_reference(volume)] if volume.server else []
    return {
        "id": volume.uid,
        "name": volume.name,
        "type": "sbs_5k",
        "size": volume.size,
        "project_id": _owner(books, volume.project),
        "created_at": _moment(volume.created),
        "updated_at": _moment(volume.updated),
        "references": references,
        "parent_snapshot_id": volume.parent_snapshot,
        "status": "in_use" if volume.server else "available",
        "tags": list(volume.tags),
        "specs": {"perf_iops": 5000, "class": "sbs"},
        "last_detached_at": _moment(volume.detached) if volume.detached else None,
        "zone": volume.zone,
    }


def snapshot_json(books: Books, snapshot: Snapshot) -> JsonObject:
    """A snapshot, with the volume it is of."""
    volume = next(v for v in books.volumes if v.uid == snapshot.volume)
    return {
        "id": snapshot.uid,
        "name": snapshot.name,
        "parent_volume": {
            "id": volume.uid,
            "name": volume.name,
            "type": "sbs_5k",
            "status": "deleted" if volume.deleted else "available",
        },
        "size": snapshot.size,
        "project_id": _owner(books, snapshot.project),
        "created_at": _moment(snapshot.created),
        "updated_at": _moment(snapshot.created),
        "references": [],
        "status": status_of(snapshot),
        "tags": list(snapshot.tags),
        "class": "sbs",
        "public": False,
        "zone": snapshot.zone,
    }


def status_of(snapshot: Snapshot) -> str:
    """available, creating or error."""
    if snapshot.failed:
        return "error"
    return "available" if snapshot.ready else "creating"


def _reference(volume: Volume) -> JsonObject:
    return {
        "id": str(uuid.uuid5(uuid.UUID(volume.uid), volume.server or "")),
        "product_resource_type": "instance_server",
        "product_resource_id": volume.server,
        "created_at": _moment(volume.created),
        "type": "exclusive",
        "status": "detaching" if volume.detaching else "attached",
    }


def _moment(at: datetime) -> str:
    """As the newer APIs write times."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _owner(books: Books, number: int) -> str:
    project = books.projects.get(number)
    return project.uid if project else ""
