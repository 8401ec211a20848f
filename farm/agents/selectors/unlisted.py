"""What the catalogue sells and no cloud lists: a place that is gone, an unknown type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from farm.agents.clouds import NAMES, clouds
from farm.agents.models import Offer
from farm.catalog import catalog


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A location or a server type in farm/catalog.toml that the cloud does not list."""

    cloud: str
    what: str


def unlisted() -> Sequence[Unlisted]:
    """Of every cloud whose list is known; the catalogue's order."""
    rows = set(Offer.objects.values_list("provider", "location", "server_type"))
    known = [name for name in clouds() if any(provider == name for provider, *_ in rows)]
    places = {
        (place.provider, place.location)
        for region in catalog().regions.items
        for place in region.places
    }
    types = {
        (provider, server_type)
        for plan in catalog().plans.items
        for provider, server_types in plan.server_types.items()
        for server_type in server_types
    }
    gone = places - {(provider, location) for provider, location, _ in rows}
    unknown = types - {(provider, server_type) for provider, _, server_type in rows}
    found = sorted(gone | unknown)
    return [Unlisted(NAMES[provider], what) for provider, what in found if provider in known]
