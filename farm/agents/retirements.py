"""What a cloud will stop selling, of all that this farm uses or has on sale."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from farm.agents.clouds import regions
from farm.agents.models import ProviderProject, Retirement
from farm.agents.projects import AT_AN_END, servers_in
from farm.agents.reconciler.operator_letters import tell_of_retirement
from farm.agents.selectors.retirements import SOON
from farm.catalog import catalog
from provisioning.provider import Offer, Provider

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Ending:
    kind: Retirement.Kind
    name: str
    location: str
    ends_at: datetime


def note_retirements(
    project: ProviderProject, provider: Provider, offers: Sequence[Offer], now: datetime
) -> None:
    """Keep one row for each, for as long as the cloud says so; the operator is written to once."""
    endings = [*_types(project, offers), *_images(project, provider)]
    kept = set[int]()
    for ending in endings:
        row, _made = Retirement.objects.update_or_create(
            provider=project.provider,
            kind=ending.kind,
            name=ending.name,
            location=ending.location,
            defaults={"ends_at": ending.ends_at},
        )
        kept.add(row.pk)
        _tell_once(row, now)
    Retirement.objects.filter(provider=project.provider).exclude(pk__in=kept).delete()


def _types(project: ProviderProject, offers: Sequence[Offer]) -> Iterator[_Ending]:
    living = servers_in(project).exclude(phase__in=AT_AN_END)
    meant = set(living.values_list("server_type", "location").distinct())
    meant |= {
        (server_type, place.location)
        for plan in catalog().plans.items
        for server_type in plan.server_types.get(project.provider, ())
        for region in regions().items
        for place in region.places
        if place.provider == project.provider
    }
    for offer in offers:
        if offer.retires_at and (offer.server_type, offer.location) in meant:
            kind = Retirement.Kind.SERVER_TYPE
            yield _Ending(kind, offer.server_type, offer.location, offer.retires_at)


def _images(project: ProviderProject, provider: Provider) -> Iterator[_Ending]:
    name = catalog().images[project.provider]
    if ends_at := provider.image_retires_at(name):
        yield _Ending(Retirement.Kind.OS_IMAGE, name, "", ends_at)


def _tell_once(row: Retirement, now: datetime) -> None:
    """Half a year before it ends. Whoever sets the date first tells; others find it set."""
    if row.ends_at > now + SOON:
        return
    if Retirement.objects.filter(pk=row.pk, told_at=None).update(told_at=now):
        logger.warning("%s ends on %s.", row, f"{row.ends_at:%F}")
        tell_of_retirement(row)
