"""What is on sale: blueprints, plans, regions and models, read once from catalog.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Generic, Protocol, TypeVar


@dataclass(frozen=True, slots=True)
class Words:
    """One text in both languages of the farm."""

    en: str
    fr: str

    def in_language(self, language: str) -> str:
        """The text in French for "fr" and its variants, in English for anything else."""
        return self.fr if language.startswith("fr") else self.en


@dataclass(frozen=True, slots=True)
class Plan:
    """A size that is sold; `server_types` lists what fits it at each provider, best first."""

    key: str
    name: Words
    memory_gb: int
    heap_mb: int
    server_types: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a provider has machines."""

    provider: str
    location: str


@dataclass(frozen=True, slots=True)
class Region:
    """Our name for one or more places, in the order they are tried; `where` goes into sentences."""

    key: str
    name: Words
    where: Words
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class ModelProvider:
    """Whose model answers, which one by default, and where its API lives."""

    key: str
    name: str
    model: str
    endpoint: str
    key_hint: str


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A kind of agent. `tools` is "full" (works on its machine) or "talk".

    `hello` and `soul` have the places {agent}, {member} and {place}.
    """

    key: str
    version: int
    tools: str
    name: Words
    card: Words
    may: Words
    hello: Words
    soul: Words
    suggestions_en: tuple[str, ...]
    suggestions_fr: tuple[str, ...]

    def suggestions(self, language: str) -> tuple[str, ...]:
        """What a person may ask first, in their language."""
        return self.suggestions_fr if language.startswith("fr") else self.suggestions_en


@dataclass(frozen=True, slots=True)
class UnlistedPrice:
    """What one thing costs net an hour from a day on, where its cloud tells no program."""

    provider: str
    kind: str
    since: date
    hourly: Decimal


class Keyed(Protocol):
    """Anything on a shelf has a key."""

    @property
    def key(self) -> str:
        """Its name in rows and addresses."""


Item = TypeVar("Item", bound=Keyed)


@dataclass(frozen=True, slots=True)
class Shelf(Generic[Item]):
    """Things of one sort in the order of the catalogue, and the one taken when nobody chooses."""

    items: tuple[Item, ...]
    default: Item

    @classmethod
    def of(cls, rows: Sequence[tuple[Item, bool]]) -> Shelf[Item]:
        """From items, each with whether it is the default; the first one where none says so."""
        chosen = [item for item, is_default in rows if is_default]
        items = tuple(item for item, _ in rows)
        return cls(items=items, default=(chosen or list(items))[0])

    def get(self, key: str) -> Item:
        """The item with that key, or KeyError."""
        for item in self.items:
            if item.key == key:
                return item
        raise KeyError(key)

    def keys(self) -> tuple[str, ...]:
        """Every key, in order."""
        return tuple(item.key for item in self.items)


@dataclass(frozen=True, slots=True)
class Catalog:
    """The whole of catalog.toml. Prebuilt images do not boot on the server types in `arm`."""

    currency: str
    runtime_version: str
    node_version: str
    plans: Shelf[Plan]
    regions: Shelf[Region]
    blueprints: Shelf[Blueprint]
    models: Shelf[ModelProvider]
    images: Mapping[str, str]
    arm: frozenset[str]
    unlisted_prices: tuple[UnlistedPrice, ...]

    def unlisted_price(self, provider: str, kind: str, day: date) -> Decimal:
        """The price of that day; KeyError for what has none."""
        rows = [
            row
            for row in self.unlisted_prices
            if (row.provider, row.kind) == (provider, kind) and row.since <= day
        ]
        if not rows:
            raise KeyError(f"{provider} {kind} {day}")
        return max(rows, key=lambda row: row.since).hourly


@lru_cache(maxsize=1)
def catalog() -> Catalog:
    """The catalogue of this farm."""
    return read(Path(__file__).with_name("catalog.toml").read_text())


def read(text: str) -> Catalog:
    """The catalogue in a TOML text; KeyError or TypeError where the text is not one."""
    top = tomllib.loads(text)
    return Catalog(
        currency=top["currency"],
        runtime_version=top["runtime_version"],
        node_version=top["node_version"],
        images=top["images"],
        arm=frozenset(top["arm"]),
        unlisted_prices=tuple(
            UnlistedPrice(**{**row, "hourly": Decimal(row["hourly"])})
            for row in top["unlisted_prices"]
        ),
        plans=_plans(text),
        regions=_regions(text),
        blueprints=_blueprints(text),
        models=Shelf.of([(ModelProvider(**row), False) for row in top["models"]]),
    )


def _plans(text: str) -> Shelf[Plan]:
    return Shelf.of(
        [
            (
                Plan(
                    key=row["key"],
                    name=Words(**row["name"]),
                    memory_gb=row["memory_gb"],
                    heap_mb=row["heap_mb"],
                    server_types=row["server_types"],
                ),
                row.get("default", False),
            )
            for row in tomllib.loads(text)["plans"]
        ]
    )


def _regions(text: str) -> Shelf[Region]:
    return Shelf.of(
        [
            (
                Region(
                    key=row["key"],
                    name=Words(**row["name"]),
                    where=Words(**row["where"]),
                    places=tuple(Place(**place) for place in row["places"]),
                ),
                row.get("default", False),
            )
            for row in tomllib.loads(text)["regions"]
        ]
    )


def _blueprints(text: str) -> Shelf[Blueprint]:
    return Shelf.of(
        [
            (
                Blueprint(
                    key=row["key"],
                    version=row["version"],
                    tools=row["tools"],
                    suggestions_en=tuple(row["suggestions"]["en"]),
                    suggestions_fr=tuple(row["suggestions"]["fr"]),
                    **{
                        name: Words(**row[name])
                        for name in ("name", "card", "may", "hello", "soul")
                    },
                ),
                row.get("default", False),
            )
            for row in tomllib.loads(text)["blueprints"]
        ]
    )
