"""What the cloud sells, where and for how much, read from catalog.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypedDict

CATALOG = Path(__file__).with_name("catalog.toml")


@dataclass(frozen=True, slots=True)
class Rate:
    """Net prices as decimal strings in EUR; `monthly` caps a calendar month of hours."""

    hourly: str
    monthly: str


@dataclass(frozen=True, slots=True)
class Location:
    """A place with data centres."""

    id: int
    name: str
    description: str
    country: str
    city: str
    latitude: float
    longitude: float
    network_zone: str
    ipv4: Rate


@dataclass(frozen=True, slots=True)
class ServerType:
    """A size of server; `prices` and `retired` go by the location's name."""

    id: int
    name: str
    category: str
    cores: int
    memory: int
    disk: int
    cpu: str
    architecture: str
    prices: Mapping[str, Rate]
    retired: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class SystemImage:
    """An operating system as the cloud offers it."""

    id: int
    name: str
    description: str
    os_flavor: str
    os_version: str
    disk_gb: int
    retires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything on sale."""

    currency: str
    vat_rate: str
    image_gb_month: str
    volume_gb_month: str
    backup_percentage: str
    server_limit: int
    locations: tuple[Location, ...]
    server_types: tuple[ServerType, ...]
    images: tuple[SystemImage, ...]

    def location(self, id_or_name: int | str) -> Location | None:
        """The place of that id or name."""
        return next((x for x in self.locations if _is(x.id, x.name, id_or_name)), None)

    def server_type(self, id_or_name: int | str) -> ServerType | None:
        """The type of that id or name."""
        return next((x for x in self.server_types if _is(x.id, x.name, id_or_name)), None)


def _is(number: int, name: str, wanted: int | str) -> bool:
    return str(wanted) in (str(number), name)


class _RawLocation(TypedDict):
    id: int
    name: str
    description: str
    country: str
    city: str
    latitude: float
    longitude: float
    network_zone: str
    ipv4_hourly: str
    ipv4_monthly: str


class _RawType(TypedDict, total=False):
    id: int
    name: str
    category: str
    cores: int
    memory: int
    disk: int
    cpu: str
    architecture: str
    prices: dict[str, tuple[str, str]]
    retired: dict[str, str]


def load_catalog(path: Path = CATALOG) -> Catalog:
    """Read the catalogue; a malformed one raises KeyError or ValueError."""
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    return Catalog(
        currency=raw["currency"],
        vat_rate=raw["vat_rate"],
        image_gb_month=raw["image_gb_month"],
        volume_gb_month=raw["volume_gb_month"],
        backup_percentage=raw["backup_percentage"],
        server_limit=raw["server_limit"],
        locations=tuple(_location(entry) for entry in raw["location"]),
        server_types=tuple(_server_type(entry) for entry in raw["server_type"]),
        images=tuple(SystemImage(**entry) for entry in raw["image"]),
    )


def _location(raw: _RawLocation) -> Location:
    return Location(
        id=raw["id"],
        name=raw["name"],
        description=raw["description"],
        country=raw["country"],
        city=raw["city"],
        latitude=raw["latitude"],
        longitude=raw["longitude"],
        network_zone=raw["network_zone"],
        ipv4=Rate(raw["ipv4_hourly"], raw["ipv4_monthly"]),
    )


def _server_type(raw: _RawType) -> ServerType:
    return ServerType(
        id=raw["id"],
        name=raw["name"],
        category=raw["category"],
        cores=raw["cores"],
        memory=raw["memory"],
        disk=raw["disk"],
        cpu=raw["cpu"],
        architecture=raw["architecture"],
        prices={place: Rate(*rate) for place, rate in raw["prices"].items()},
        retired={p: datetime.fromisoformat(end) for p, end in raw.get("retired", {}).items()},
    )
