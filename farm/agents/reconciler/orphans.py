"""Things at a cloud that cost money and are nobody's: seen, watched, and at last removed."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from farm.accounts.models import Door
from farm.accounts.services import record
from farm.agents.models import MAIN, Agent, AgentPhase, DiskCopy, Orphan, ProviderProject, Server
from farm.agents.reconciler.buying import image_labels, install_id
from farm.agents.reconciler.copies import ring_copies
from farm.agents.reconciler.labels import (
    BUILDER_LABEL,
    COPY_LABEL,
    FARM_LABEL,
    IMAGE_LABEL,
    SERVER_LABEL,
)
from farm.agents.reconciler.machines import provider_in
from farm.agents.reconciler.parts import note_all
from farm.catalog import catalog
from provisioning.budget import Urgency
from provisioning.errors import Transient
from provisioning.provider import Billable, BillableKind, Provider

logger = logging.getLogger(__name__)
BAKING = timedelta(hours=2)
# A server takes some of what hangs on it along.
ORDER = (BillableKind.SERVER, BillableKind.VOLUME, BillableKind.IPV4, BillableKind.SNAPSHOT)


def watch_orphans(project: ProviderProject, now: datetime) -> None:
    """Write down what is nobody's, and have that removed whose quarantine is over.

    What is removed was in the list a moment ago, with every label of ours and without a row.
    """
    provider = provider_in(project, Urgency.BACKGROUND)
    bills = billed_by(provider)
    note_all(project, bills, now)
    ring_copies(project, bills, now)
    strays = strays_among(bills, now)
    _keep(project, strays, now)
    for stray in ripe(project, strays, now):
        try:
            provider.remove(stray)
        except Transient as error:
            logger.info("%s is not removed yet: %s", stray.name, error)
        else:
            told = f"{project.provider} {stray.kind} {stray.id}"
            record(account=None, actor=None, door=Door.FARM, verb="remove orphan", subject=told)
            logger.warning("%s: the orphan %s %s was removed.", project, stray.kind, stray.name)


def billed_by(provider: Provider) -> Sequence[Billable]:
    """All that costs money there and carries this farm's label."""
    return provider.billables({FARM_LABEL: install_id()})


def strays_among(bills: Sequence[Billable], now: datetime) -> Sequence[Billable]:
    """What of it has no row; servers first.

    The rows are read after the list: whatever was made meanwhile had its row before.
    """
    machines = {str(server) for server in Server.objects.only("uid")}
    images = _kept_images(bills)
    copies = frozenset(DiskCopy.objects.values_list("uid", flat=True))
    strays = [
        bill
        for bill in bills
        if bill.machine not in machines
        and bill.id not in images
        and not _is_baking(bill, now)
        and bill.labels.get(COPY_LABEL) not in copies
    ]
    return sorted(strays, key=lambda bill: ORDER.index(bill.kind))


def _is_baking(bill: Billable, now: datetime) -> bool:
    """A machine that an image is baked on has no row, and lives for minutes."""
    young = bill.created_at is None or now - bill.created_at < BAKING
    return BUILDER_LABEL in bill.labels and young


def ripe(project: ProviderProject, strays: Sequence[Billable], now: datetime) -> Sequence[Billable]:
    """Those whose quarantine is over: none while the settings have just meant another project."""
    end = now - quarantine()
    if project.pointed_at is None or project.pointed_at > end:
        return ()
    rows = _orphans_in(project).filter(marked=True, first_seen_at__lte=end)
    known = {(row.kind, row.location, row.cloud_id) for row in rows}
    return [stray for stray in strays if (stray.kind.value, stray.location, stray.id) in known]


def quarantine() -> timedelta:
    """How long an orphan is watched before it is removed."""
    return timedelta(hours=settings.ORPHAN_HOURS)


def is_marked(bill: Billable) -> bool:
    """Whether it carries every label with which the farm makes such a thing."""
    is_copy = bill.kind is BillableKind.SNAPSHOT
    own = {IMAGE_LABEL, COPY_LABEL} if is_copy else {SERVER_LABEL}
    return FARM_LABEL in bill.labels and bool({*own, BUILDER_LABEL} & set(bill.labels))


@transaction.atomic
def _keep(project: ProviderProject, strays: Sequence[Billable], now: datetime) -> None:
    for stray in strays:
        shown = {
            "name": stray.name[:200],
            "marked": is_marked(stray),
            "created_at": stray.created_at,
            "hourly_micros": stray.price.hourly,
            "monthly_micros": stray.price.monthly,
            "currency": stray.price.currency,
            "seen_at": now,
            "project": project,
        }
        row, is_news = Orphan.objects.update_or_create(
            provider=project.provider,
            kind=stray.kind.value,
            location=stray.location,
            cloud_id=stray.id,
            defaults=shown,
            create_defaults={**shown, "first_seen_at": now},
        )
        if is_news:
            _tell(row)
    _orphans_in(project).filter(seen_at__lt=now).delete()


def _orphans_in(project: ProviderProject) -> QuerySet[Orphan]:
    own = Q(project=project)
    if project.name == MAIN:
        # Rows from before there were several projects are the main one's.
        own |= Q(project=None, provider=project.provider)
    return Orphan.objects.filter(own)


def _tell(row: Orphan) -> None:
    logger.error(
        "%s has this farm's label and no row knows it: it costs %.4f %s an hour. Look at"
        " `farm servers orphans`.",
        row,
        row.hourly_micros / 1_000_000,
        row.currency,
    )


def _kept_images(bills: Iterable[Billable]) -> set[str]:
    """The newest image of each runtime in use, in each place: machines are made from these."""
    alive = Agent.objects.exclude(phase=AgentPhase.DELETED).values_list(
        "runtime_version", flat=True
    )
    versions = {catalog().runtime_version, *alive.distinct()}
    used = {image_labels(version)[IMAGE_LABEL] for version in versions}
    images = [bill for bill in bills if bill.kind is BillableKind.SNAPSHOT]
    images = [image for image in images if image.labels.get(IMAGE_LABEL) in used]
    images.sort(key=_shelf)
    return {list(group)[-1].id for _, group in groupby(images, key=lambda image: _shelf(image)[:2])}


def _shelf(image: Billable) -> tuple[str, str, str]:
    created = image.created_at.isoformat() if image.created_at else ""
    return (image.labels[IMAGE_LABEL], image.location, created)
