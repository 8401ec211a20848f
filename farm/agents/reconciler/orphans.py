"""Things at a cloud that cost money and are nobody's: seen, watched, and at last removed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from farm.accounts.models import Door
from farm.accounts.services import record
from farm.agents.images.tidying import note_bills, tidy
from farm.agents.models import MAIN, DiskCopy, Orphan, ProviderProject, Server, ServerImage
from farm.agents.reconciler.buying import install_id
from farm.agents.reconciler.copies import ring_copies
from farm.agents.reconciler.labels import (
    BAKED_LABEL,
    BUILDER_LABEL,
    COPY_LABEL,
    FARM_LABEL,
    IMAGE_LABEL,
    SERVER_LABEL,
)
from farm.agents.reconciler.machines import provider_in
from farm.agents.reconciler.parts import note_all
from provisioning.budget import Urgency
from provisioning.errors import Transient
from provisioning.provider import Billable, BillableKind, Provider

logger = logging.getLogger(__name__)
# A server takes some of what hangs on it along.
ORDER = (BillableKind.SERVER, BillableKind.VOLUME, BillableKind.IPV4, BillableKind.SNAPSHOT)


def watch_orphans(project: ProviderProject, now: datetime) -> None:
    """Write down what is nobody's, and have that removed whose quarantine is over.

    What is removed was in the list a moment ago, with every label of ours and without a row.
    """
    provider = provider_in(project, Urgency.BACKGROUND)
    tidy(project, provider, now)
    bills = billed_by(provider)
    note_all(project, bills, now)
    ring_copies(project, bills, now)
    note_bills(project, provider, bills, now)
    strays = strays_among(bills)
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


def strays_among(bills: Sequence[Billable]) -> Sequence[Billable]:
    """What of it has no row; servers first.

    The rows are read after the list: whatever was made meanwhile had its row before.
    """
    machines = {str(server) for server in Server.objects.only("uid")}
    images = frozenset(ServerImage.objects.values_list("uid", flat=True))
    copies = frozenset(DiskCopy.objects.values_list("uid", flat=True))
    strays = [
        bill
        for bill in bills
        if bill.machine not in machines
        and not _image_of(bill) & images
        and bill.labels.get(COPY_LABEL) not in copies
    ]
    return sorted(strays, key=lambda bill: ORDER.index(bill.kind))


def _image_of(bill: Billable) -> frozenset[str]:
    """The uid of the image that it is, or that is baked or tried on it: its end is its row's."""
    marks = (bill.labels.get(label) for label in (BAKED_LABEL, BUILDER_LABEL))
    return frozenset(mark for mark in marks if mark)


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
