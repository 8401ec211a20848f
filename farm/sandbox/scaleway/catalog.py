"""What the cloud sells, in which zones and for how much, read from catalog.toml."""

from __future__ import annotations

import tomllib
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

CATALOG = Path(__file__).with_name("catalog.toml")
_SPACE = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


@dataclass(frozen=True, slots=True)
class ServerType:
    """A size of server; `memory` in GiB, `hourly` a decimal string in EUR."""

    name: str
    arch: str
    cores: int
    memory: int
    hourly: str
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SystemImage:
    """An image of the marketplace; `guest_image` is what a machine's disk is made from."""

    label: str
    name: str
    guest_image: str
    valid_until: datetime | None = None

    def uid(self, zone: str) -> str:
        """Its id in a zone; each zone has its own copy."""
        return str(uuid.uuid5(_SPACE, f"image {zone} {self.label}"))

    def snapshot_uid(self, zone: str) -> str:
        """The snapshot that the copy stands on."""
        return str(uuid.uuid5(_SPACE, f"snapshot {zone} {self.label}"))


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything on sale."""

    currency: str
    volume_gb: str
    snapshot_gb: str
    ipv4: str
    server_quota: int
    zones: tuple[str, ...]
    server_types: tuple[ServerType, ...]
    images: tuple[SystemImage, ...]

    def types_in(self, zone: str) -> list[ServerType]:
        """The types on sale in a zone, by name."""
        return sorted((t for t in self.server_types if zone in t.zones), key=lambda t: t.name)

    def server_type(self, name: str, zone: str) -> ServerType | None:
        """The type of that name, if the zone has it."""
        return next((kind for kind in self.types_in(zone) if kind.name == name), None)

    def image(self, uid: str, zone: str) -> SystemImage | None:
        """The system image of that id in a zone."""
        return next((image for image in self.images if image.uid(zone) == uid), None)


def load_catalog(path: Path = CATALOG) -> Catalog:
    """Read the catalogue; a malformed one raises KeyError or TypeError."""
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    return Catalog(
        currency=raw["currency"],
        volume_gb=raw["volume_gb"],
        snapshot_gb=raw["snapshot_gb"],
        ipv4=raw["ipv4"],
        server_quota=raw["server_quota"],
        zones=tuple(raw["zones"]),
        server_types=tuple(
            ServerType(**{**kind, "zones": tuple(kind["zones"])}) for kind in raw["server_type"]
        ),
        images=tuple(SystemImage(**image) for image in raw["image"]),
    )
