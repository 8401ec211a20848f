"""Which clouds this farm has an account at, and what they leave of the catalogue's places."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from django.conf import settings
from django.utils import timezone

from farm.agents.models import MAIN, ProviderProject
from farm.billing.charging import TERMS
from farm.catalog import Region, Shelf, catalog
from provisioning.errors import NeedsOperator
from provisioning.registry import Credentials

HETZNER, SCALEWAY = "hetzner", "scaleway"
NAMES = {HETZNER: "Hetzner", SCALEWAY: "Scaleway"}
SETTINGS = {
    HETZNER: ("HETZNER_TOKEN",),
    SCALEWAY: ("SCALEWAY_ACCESS_KEY", "SCALEWAY_SECRET_KEY", "SCALEWAY_PROJECT_ID"),
}
"""What opens each cloud."""
OFF_IS_FREE = frozenset(name for name, terms in TERMS.items() if terms.off_is_free)
"""Where a machine that is off costs no compute: asleep it is its disk and its address that cost."""


def clouds() -> tuple[str, ...]:
    """The clouds with credentials; Hetzner while there are none, so that somebody complains."""
    given = {HETZNER: settings.HETZNER_TOKEN, SCALEWAY: settings.SCALEWAY_SECRET_KEY}
    return tuple(name for name, secret in given.items() if secret) or (HETZNER,)


def regions() -> Shelf[Region]:
    """The places on sale: those of which one at least is at a cloud of ours."""
    shelf, ours = catalog().regions, clouds()
    there = [
        region for region in shelf.items if any(place.provider in ours for place in region.places)
    ]
    return Shelf.of([(region, region == shelf.default) for region in there or shelf.items])


def credentials_of(project: ProviderProject) -> Credentials:
    """What opens that project; NeedsOperator for a cloud that this farm knows nothing of."""
    opened = _settings_of(project.provider)
    if project.name == MAIN:
        return opened
    return replace(
        opened, token=project.token, access_key=project.access_key, project=project.cloud_project
    )


def fingerprint_of(project: ProviderProject) -> str:
    """Tells one project at a cloud from another, without telling what opens it."""
    opened = credentials_of(project)
    said = opened.project or opened.token
    return hashlib.sha256(f"{opened.endpoint} {said}".encode()).hexdigest()[:16]


def _settings_of(name: str) -> Credentials:
    if name == HETZNER:
        return Credentials(name, settings.HETZNER_TOKEN, settings.HETZNER_ENDPOINT)
    if name == SCALEWAY:
        return Credentials(
            name,
            settings.SCALEWAY_SECRET_KEY,
            settings.SCALEWAY_ENDPOINT,
            access_key=settings.SCALEWAY_ACCESS_KEY,
            project=settings.SCALEWAY_PROJECT_ID,
            zones=tuple(settings.SCALEWAY_ZONES),
            ipv4_hourly=catalog().unlisted_price(SCALEWAY, "ipv4", timezone.now().date()),
        )
    raise NeedsOperator("unknown_provider", f'This farm has no account at "{name}".')
