"""A sweep on demand: what a cloud charges for beside what the rows know, both ways."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action, demand
from farm.accounts.services import record
from farm.agents.models import (
    MAIN,
    CopyPhase,
    DiskCopy,
    Orphan,
    ProviderProject,
    ServerImage,
    ServerPhase,
)
from farm.agents.projects import servers_in
from farm.agents.reconciler.buying import install_id
from farm.agents.reconciler.driving import PROJECTS
from farm.agents.reconciler.labels import BAKED_LABEL, COPY_LABEL, FARM_LABEL
from farm.agents.reconciler.machines import provider_in
from farm.agents.reconciler.orphans import billed_by, is_marked, quarantine, strays_among
from provisioning.provider import Billable, MachineStatus

THERE = (ServerPhase.READY, ServerPhase.HALTING, ServerPhase.OFF, ServerPhase.WAKING)
STEPS = 3
"""A project that is due has its offers read first, and is swept in the next step."""


class Side(StrEnum):
    """Where a thing is known that the other side does not know."""

    CLOUD = "only at the cloud"
    ROWS = "only in the farm's rows"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a cloud and the rows disagree about. Price net, in micro-units an hour.

    What is only at the cloud goes at `removed_from`, None: never by itself, for the reason in
    `why`. What is only in the rows is looked at by its own row's driver, who tells its owner.
    """

    project: str
    side: Side
    kind: str
    name: str
    location: str
    hourly_micros: int
    currency: str
    first_seen_at: datetime
    removed_from: datetime | None
    why: str


def look_at(project: ProviderProject, now: datetime) -> Sequence[Finding]:
    """Ask the cloud and write nothing; the errors of `provisioning.errors` where it refuses."""
    there = provider_in(project)
    # Rows are read before the machines' list, and after that of what is billed: whatever is made
    # meanwhile is never missed by either.
    rows = list(servers_in(project).filter(phase__in=THERE).order_by("pk"))
    kept = list(_of_project(project))
    machines = there.machines({FARM_LABEL: install_id()})
    whole = {one.name for one in machines if one.status is not MachineStatus.UNFINISHED}
    bills = billed_by(there)
    strays = [_stray(project, bill, now) for bill in strays_among(bills)]
    lost = [
        _missing(project, "server", str(row), row.location, row.phase_since)
        for row in rows
        if str(row) not in whole
    ]
    return [*strays, *lost, *_lost_copies(project, kept, bills), *_lost_images(project, bills)]


def sweep_now(*, actor: User, door: Door, project: ProviderProject) -> bool:
    """Have the round made at once, here or by the worker that has it; False if it was not made.

    PermissionDenied to all but the farm's operators. Why not is the project's own reason.
    """
    demand(actor, Action.OPERATE_FARM)
    began = timezone.now()
    with transaction.atomic():
        ProviderProject.objects.filter(pk=project.pk).update(swept_at=None, due_at=began)
        record(account=None, actor=actor, door=door, verb="sweep cloud", subject=str(project))
    for _ in range(STEPS):
        PROJECTS.work(project.pk, lambda _claim: None)
        project.refresh_from_db()
        if project.swept_at is not None:
            return True
    return False


def _stray(project: ProviderProject, bill: Billable, now: datetime) -> Finding:
    known = Orphan.objects.filter(
        provider=project.provider, kind=bill.kind.value, location=bill.location, cloud_id=bill.id
    ).first()
    first = known.first_seen_at if known else now
    marked = is_marked(bill)
    watched_since = max(first, project.pointed_at or now)
    return Finding(
        project=str(project),
        side=Side.CLOUD,
        kind=bill.kind.value,
        name=bill.name,
        location=bill.location,
        hourly_micros=bill.price.hourly,
        currency=bill.price.currency,
        first_seen_at=first,
        removed_from=watched_since + quarantine() if marked else None,
        why="no row knows it" if marked else "no row knows it, and it lacks labels of ours",
    )


def _missing(
    project: ProviderProject, kind: str, name: str, location: str, since: datetime
) -> Finding:
    return Finding(
        project=str(project),
        side=Side.ROWS,
        kind=kind,
        name=name,
        location=location,
        hourly_micros=0,
        currency="",
        first_seen_at=since,
        removed_from=None,
        why="its cloud does not list it",
    )


def _of_project(project: ProviderProject) -> QuerySet[DiskCopy]:
    own = Q(project=project)
    if project.name == MAIN:
        own |= Q(project=None, provider=project.provider)
    return DiskCopy.objects.filter(own, phase=CopyPhase.READY, wanted_gone=False).order_by("pk")


def _lost_copies(
    project: ProviderProject, kept: Sequence[DiskCopy], bills: Sequence[Billable]
) -> Iterator[Finding]:
    labels = {bill.labels.get(COPY_LABEL) for bill in bills}
    for row in kept:
        if row.uid not in labels:
            yield _missing(project, "snapshot", str(row), row.location, row.phase_since)


def _lost_images(project: ProviderProject, bills: Sequence[Billable]) -> Iterator[Finding]:
    labels = {bill.labels.get(BAKED_LABEL) for bill in bills}
    good = ServerImage.objects.filter(project=project, state=ServerImage.State.GOOD)
    for row in good.order_by("pk"):
        if row.uid not in labels:
            since = row.good_at or row.asked_at
            yield _missing(project, "snapshot", str(row), row.location, since)
