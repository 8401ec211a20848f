"""Where images are needed: in each project, at the places where machines are made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from farm.agents.clouds import clouds, regions
from farm.agents.models import Agent, AgentPhase, Pool, ProviderProject
from farm.agents.projects import projects_at
from farm.agents.refusals import Refused
from farm.catalog import Region


@dataclass(frozen=True, slots=True)
class ImagePlace:
    """One place of one project; at a cloud whose images boot everywhere one image serves many."""

    project: ProviderProject
    location: str

    def __str__(self) -> str:
        return f"{self.project} {self.location}"


def places_in_use(
    *, provider: str = "", region: str = "", project: ProviderProject | None = None
) -> Sequence[ImagePlace]:
    """The places of all regions in use, or of that one, in every open project, or in those asked.

    Refused where nothing is left of that.
    """
    wanted = [_region(region)] if region else _regions_in_use()
    names = [name for name in clouds() if provider in ("", name)]
    found = [
        ImagePlace(row, location)
        for name in names
        for row in ([project] if project else projects_at(name))
        if row.provider == name and (project or not row.held)
        for location in _locations(wanted, name)
    ]
    if not found:
        raise Refused("region", "no_place", "This farm makes no machines there.")
    return found


def runtimes_in_use(default: str) -> frozenset[str]:
    """The versions that machines may still be made with: those of living agents, and the newest."""
    alive = Agent.objects.exclude(phase=AgentPhase.DELETED)
    return frozenset({default, *alive.values_list("runtime_version", flat=True).distinct()})


def _region(key: str) -> Region:
    shelf = regions()
    keys = shelf.keys()
    if key not in keys:
        known = ", ".join(keys)
        raise Refused("region", "unknown", f"There is no region {key}: {known}.")
    return shelf.get(key)


def _regions_in_use() -> Sequence[Region]:
    """The default one, and those that agents and pools are in."""
    alive = Agent.objects.exclude(phase=AgentPhase.DELETED)
    used = {
        regions().default.key,
        *alive.values_list("region", flat=True).distinct(),
        *Pool.objects.exclude(size=0, follow_demand=False).values_list("region", flat=True),
    }
    return [region for region in regions().items if region.key in used]


def _locations(wanted: Iterable[Region], provider: str) -> Sequence[str]:
    places = [place for region in wanted for place in region.places]
    return list(dict.fromkeys(place.location for place in places if place.provider == provider))
