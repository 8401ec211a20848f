"""Keeps guests' disks and snapshots as folders: layers that overlayfs puts on top of each other.

guests/<id>/record.json   the guest's spec, firewall, power switch and the layers below its disk
            upper/ work/  what it has written
            root/         where the whole is mounted while it runs
images/<id>/record.json   the layers below the snapshot
            layer/        what its guest had written
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from secrets import token_hex

from farm.sandbox.guests.base import (
    GuestError,
    GuestNotFoundError,
    GuestRule,
    GuestSpec,
    ImageNotFoundError,
    read_spec,
)
from farm.sandbox.guests.real.command import duplicate, remove, run

SEED = Path("var/lib/cloud/seed/nocloud")
_RETIRED = ".gone-"
UNUSABLE = frozenset(":,\\\"'")
"""Characters that overlayfs's mount options cannot carry in a path."""


@dataclass(frozen=True, slots=True)
class Record:
    """What must be known of a guest to boot it again.

    `layers` are "base/<digest>" or "image/<id>", the topmost first; `rules` None is no firewall.
    """

    spec: GuestSpec
    layers: tuple[str, ...]
    on: bool
    rules: tuple[GuestRule, ...] | None = None


class Disks:
    """The disks of one sandbox in `folder`; `bases` holds built images as <digest>/root."""

    def __init__(self, folder: Path, bases: Path) -> None:
        self._guests = folder / "guests"
        self._images = folder / "images"
        self._bases = bases
        self._records: dict[int, Record] = {}

    async def load(self) -> None:
        """Read what is on record, and clear away what a kill left half made."""
        self._guests.mkdir(parents=True, exist_ok=True)
        self._images.mkdir(parents=True, exist_ok=True)
        for left in (*self._guests.glob(".new-*"), *self._images.glob(".new-*")):
            await remove(left)
        for path in self._guests.glob("[!.]*/record.json"):
            record = _read_record(path)
            self._records[record.spec.id] = record

    def records(self) -> tuple[Record, ...]:
        """Every guest that has a disk."""
        return tuple(self._records.values())

    def record(self, guest_id: int) -> Record:
        """GuestNotFoundError if there is none."""
        try:
            return self._records[guest_id]
        except KeyError:
            raise GuestNotFoundError(f"There is no guest {guest_id}.") from None

    def knows(self, guest_id: int) -> bool:
        """Whether there is such a guest."""
        return guest_id in self._records

    def keep(self, record: Record) -> None:
        """Write down how a guest is to be, whole or not at all."""
        _write_whole(self.folder(record.spec.id) / "record.json", json.dumps(asdict(record)))
        self._records[record.spec.id] = record

    def folder(self, guest_id: int) -> Path:
        """Where everything of one guest is."""
        return self._guests / str(guest_id)

    def layers_of(self, image_id: str) -> tuple[str, ...]:
        """What a disk made from this snapshot stands on; ImageNotFoundError if there is none."""
        try:
            kept = json.loads((self._images / image_id / "record.json").read_text())
        except (FileNotFoundError, NotADirectoryError):
            raise ImageNotFoundError(f"There is no image {image_id!r}.") from None
        return (f"image/{image_id}", *kept["layers"])

    async def make(self, record: Record, seed: dict[str, str]) -> None:
        """An empty disk on its layers, with the files that its cloud-init finds at first boot."""
        draft = self._guests / f".new-{record.spec.id}"
        for name in ("upper", "work", "root"):
            _make_folders(draft, Path(name))
        _make_folders(draft / "upper", SEED)
        for name, content in seed.items():
            (draft / "upper" / SEED / name).write_text(content)
        _write_whole(draft / "record.json", json.dumps(asdict(record)))
        draft.rename(self.folder(record.spec.id))
        self._records[record.spec.id] = record

    def retire(self, guest_id: int) -> None:
        """Take a disk off the record at once; `clear` removes what is left of it."""
        gone = Path(tempfile.mkdtemp(prefix=f"{_RETIRED}{guest_id}-", dir=self._guests))
        self.folder(guest_id).rename(gone)
        del self._records[guest_id]

    def retired(self) -> tuple[Path, ...]:
        """The folders of disks that are off the record and not yet removed."""
        return tuple(self._guests.glob(f"{_RETIRED}*"))

    async def clear(self) -> None:
        """Remove retired disks, and layers that no disk or image needs any more.

        It may take a minute: an agent's disk holds gigabytes in tens of thousands of files.
        """
        for gone in self.retired():
            await remove(gone)
        await self._remove_unused_layers()

    async def snapshot(self, guest_id: int, image_id: str) -> int:
        """Copy what the guest wrote as an image of its own; answers its size in bytes."""
        draft = self._images / f".new-{image_id}"
        await remove(draft)
        draft.mkdir()
        written = self.folder(guest_id) / "upper"
        await run("cp", "--archive", "--reflink=auto", str(written), str(draft / "layer"))
        layers = self.record(guest_id).layers
        _write_whole(draft / "record.json", json.dumps({"layers": layers}))
        await remove(self._images / image_id)
        draft.rename(self._images / image_id)
        sizes = [await _size(self._layer(layer)) for layer in self.layers_of(image_id)]
        return sum(sizes)

    def layer_of(self, image_id: str) -> Path:
        """Where the snapshot has what its guest had written."""
        return self._layer(f"image/{image_id}")

    def is_fresh(self, guest_id: int) -> bool:
        """Whether it never booted: nothing but its seed was written."""
        written = self.folder(guest_id) / "upper"
        return [path.name for path in written.iterdir()] == [SEED.parts[0]]

    def forgot_itself(self, guest_id: int) -> bool:
        """Whether it booted, and then took back who it is, as whoever makes an image does."""
        machine_id = self.folder(guest_id) / "upper/etc/machine-id"
        return machine_id.is_file() and machine_id.stat().st_size == 0

    async def put_below(self, guest_id: int, written: Path) -> None:
        """Have a disk start from what another had written on the same layers, and switched off."""
        name = f"below-{guest_id}-{token_hex(4)}"
        draft = self._images / f".new-{name}"
        draft.mkdir()
        try:
            await duplicate(written, draft / "layer")
        except GuestError:
            await remove(draft)
            raise
        draft.rename(self._images / name)
        record = self.record(guest_id)
        self.keep(replace(record, layers=(f"image/{name}", *record.layers), on=False))

    def delete_image(self, image_id: str) -> None:
        """Nobody can boot it any more; its layer stays for as long as a disk stands on it."""
        (self._images / image_id / "record.json").unlink(missing_ok=True)

    def mount_options(self, record: Record) -> str:
        """GuestError when a layer below the disk is gone."""
        if missing := self._missing(record):
            raise GuestError(
                f"The disk of guest {record.spec.id} stands on {missing[0]}, which is gone:"
                " put it back, or delete the server."
            )
        folder = self.folder(record.spec.id)
        below = ":".join(str(self._layer(layer)) for layer in record.layers)
        return f"lowerdir={below},upperdir={folder / 'upper'},workdir={folder / 'work'},index=off"

    def is_whole(self, record: Record) -> bool:
        """Whether every layer below the disk is there."""
        return not self._missing(record)

    def _missing(self, record: Record) -> list[Path]:
        lower = [self._layer(layer) for layer in record.layers]
        return [path for path in lower if not path.is_dir()]

    def _layer(self, layer: str) -> Path:
        kind, name = layer.split("/", 1)
        return self._images / name / "layer" if kind == "image" else self._bases / name / "root"

    async def _remove_unused_layers(self) -> None:
        alive = [path.parent.name for path in self._images.glob("*/record.json")]
        needed = {layer for record in self.records() for layer in record.layers}
        needed.update(layer for image_id in alive for layer in self.layers_of(image_id))
        for image in self._images.iterdir():
            if f"image/{image.name}" not in needed and not image.name.startswith("."):
                await remove(image)


def _read_record(path: Path) -> Record:
    kept = json.loads(path.read_text())
    rules = None
    if kept["rules"] is not None:
        rules = tuple(GuestRule(rule["port"], tuple(rule["sources"])) for rule in kept["rules"])
    return Record(read_spec(kept["spec"]), tuple(kept["layers"]), on=kept["on"], rules=rules)


def _make_folders(base: Path, below: Path) -> None:
    """Folders that become the guest's own have the modes of a Debian system, whatever our umask."""
    for folder in (base, *(base / part for part in reversed([below, *below.parents][:-1]))):
        folder.mkdir(exist_ok=True, parents=True)
        folder.chmod(0o755)


def _write_whole(path: Path, content: str) -> None:
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(content)
    draft.chmod(0o600)
    draft.replace(path)


async def _size(layer: Path) -> int:
    return int((await run("du", "--summarize", "--bytes", str(layer))).split()[0])


def usable(paths: Iterable[Path]) -> bool:
    """Whether overlayfs can be told these paths."""
    return not any(UNUSABLE & set(str(path)) for path in paths)
