"""What simulated guests keep on file: specs, power, disks and images."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from farm.sandbox.guests.base import GuestRule, GuestSpec, ImageNotFoundError, read_spec
from farm.sandbox.guests.simulated import image as system
from farm.sandbox.guests.simulated.disk import Disk, Node, load


@dataclass(frozen=True, slots=True)
class GuestRecord:
    """One guest: is its power on, and who is let in (None: everybody)."""

    spec: GuestSpec
    power: bool
    rules: tuple[GuestRule, ...] | None = None


class Records:
    """The folder: guests/ID.json, disks/ID.json, images/NAME.json."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.guests: dict[int, GuestRecord] = {}
        self._images: dict[str, Mapping[str, Node]] = {}

    def read(self) -> None:
        """Take in what an earlier sandbox left."""
        for name in ("guests", "disks", "images"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        for path in (self._folder / "guests").glob("*.json"):
            record = _record(json.loads(path.read_text()))
            self.guests[record.spec.id] = record

    def put(self, record: GuestRecord) -> None:
        """Write down how a guest stands."""
        self.guests[record.spec.id] = record
        _replace(self._guest(record.spec.id), json.dumps(asdict(record)))

    def drop(self, guest_id: int) -> None:
        """Forget a guest and its disk."""
        self.guests.pop(guest_id, None)
        self._guest(guest_id).unlink(missing_ok=True)
        self._disk(guest_id).unlink(missing_ok=True)

    def power(self, guest_id: int, *, on: bool) -> None:
        """Note the power switch."""
        record = self.guests[guest_id]
        if record.power != on:
            self.put(replace(record, power=on))

    def _guest(self, guest_id: int) -> Path:
        return self._folder / "guests" / f"{guest_id}.json"

    def _disk(self, guest_id: int) -> Path:
        return self._folder / "disks" / f"{guest_id}.json"

    def disk(self, guest_id: int) -> Disk:
        """The disk as it was kept, or a fresh one from its image. ImageNotFoundError without."""
        base = self.image(self.guests[guest_id].spec.image)
        path = self._disk(guest_id)
        return load(base, json.loads(path.read_text())) if path.exists() else Disk(base)

    def keep(self, guest_id: int, disk: Disk) -> None:
        """Write a disk down."""
        _replace(self._disk(guest_id), json.dumps(disk.save()))

    def image(self, name: str) -> Mapping[str, Node]:
        """The nodes of an image. ImageNotFoundError if there is none of that name."""
        if name == system.NAME:
            return system.system_image()
        if name not in self._images:
            path = self._image(name)
            if not path.exists():
                raise ImageNotFoundError(f"There is no image {name!r}; make a snapshot first.")
            self._images[name] = load(system.system_image(), json.loads(path.read_text())).copy()
        return self._images[name]

    def _image(self, name: str) -> Path:
        return self._folder / "images" / f"{name.replace('/', '_')}.json"

    def keep_image(self, name: str, disk: Disk) -> None:
        """Keep a copy of a disk as an image."""
        nodes = disk.copy()
        self._images[name] = nodes
        _replace(self._image(name), json.dumps(differences(nodes).save()))

    def drop_image(self, name: str) -> None:
        """Remove an image; disks made of it keep what they have of it in memory and on file."""
        base = self._images.get(name)
        users = [r.spec.id for r in self.guests.values() if r.spec.image == name]
        if base is None or not users:
            self._images.pop(name, None)
            self._image(name).unlink(missing_ok=True)


def differences(nodes: Mapping[str, Node]) -> Disk:
    """A disk that holds `nodes` and counts them against the system image."""
    disk = Disk(system.system_image())
    disk.become(nodes)
    return disk


def _replace(path: Path, text: str) -> None:
    staged = path.with_suffix(".new")
    staged.write_text(text)
    staged.replace(path)


def _record(item: Mapping[str, object]) -> GuestRecord:
    spec, rules = item["spec"], item["rules"]
    if not isinstance(spec, dict):
        raise TypeError("guests/ was not written by a sandbox: remove the folder")
    listed = None
    if isinstance(rules, list):
        listed = tuple(GuestRule(rule["port"], tuple(rule["sources"])) for rule in rules)
    return GuestRecord(read_spec(spec), bool(item["power"]), listed)
