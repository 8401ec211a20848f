"""The survey of a cloud: what it sells today, and whether its list and our rows agree."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from farm.agents.clouds import clouds, fingerprint_of
from farm.agents.models import MAIN, Offer, ProviderProject, Server, ServerPhase
from farm.agents.pace import OFFERS_EVERY, sweep_every
from farm.agents.projects import servers_in
from farm.agents.reconciler.buying import install_id
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.labels import FARM_LABEL
from farm.agents.reconciler.machines import provider_in
from farm.agents.reconciler.marks import MISSED
from farm.agents.reconciler.orphans import watch_orphans
from farm.agents.reconciler.pauses import (
    READ_ONLY,
    is_ours_again,
    may_change_again,
    mended,
    pause_for_everyone,
    pause_for_operator,
)
from farm.agents.reconciler.server_types import note_types
from farm.agents.reconciler.troubles import RATE_LIMIT, Nap, jitter
from farm.agents.request_budgets import bucket_of, budget_of, refill
from farm.agents.retirements import note_retirements
from provisioning import provider as cloud
from provisioning.budget import OutOfBudget, Urgency
from provisioning.errors import NeedsOperator, ProvisioningError, Transient
from provisioning.lifecycle import back_off

logger = logging.getLogger(__name__)
AT_ONCE = timedelta(0)
PRESENT = (ServerPhase.READY, ServerPhase.OFF)
COMING = (ServerPhase.CREATING, ServerPhase.BOOTING)
ABSENT = (ServerPhase.GONE, ServerPhase.LOST)
PAGE = 50
LISTS = 3
"""A sweep lists the servers, and then what costs money: servers and addresses, fifty a page."""


def ensure_projects(now: datetime) -> None:
    """A row for every cloud with credentials; made once, driven like any other row."""
    for name in clouds():
        ProviderProject.objects.get_or_create(provider=name, name=MAIN, defaults={"due_at": now})


def drive_project(claim: Claim[ProviderProject]) -> Nap:
    """Refresh the offers or sweep, whichever is due; both are plain reading at the cloud."""
    project, now = claim.row, timezone.now()
    if project.paused_until and project.paused_until > now:
        return project.paused_until - now
    try:
        if project.reason == READ_ONLY:
            provider_in(project, Urgency.BACKGROUND).verify()
            may_change_again(project)
        if _due(project.offers_seen_at, OFFERS_EVERY, now):
            _refresh_offers(claim, now)
            return AT_ONCE
        if _due(project.swept_at, sweep_every(), now):
            _sweep(claim, now)
    except ProvisioningError as error:
        return _after_trouble(claim, error, now)
    mended(project, created=False)
    # Farms that were started together must not ask together for ever.
    return max(min(sweep_every(), OFFERS_EVERY), _bearable(project)) * (0.9 + jitter() / 5)


def _bearable(project: ProviderProject) -> timedelta:
    """How often its whole list may be read: a quarter of the requests it takes are for that."""
    pages = LISTS * servers_in(project).exclude(phase__in=ABSENT).count() / PAGE
    return bucket_of(budget_of(project.pk)).each * pages * 4


def _due(last: datetime | None, every: timedelta, now: datetime) -> bool:
    return last is None or last + every * 0.9 <= now


def _refresh_offers(claim: Claim[ProviderProject], now: datetime) -> None:
    """What the cloud lists now takes the place of what it listed before, all at once."""
    project = claim.row
    # Somebody waits for a price that is not known; a known one can be looked at later.
    urgency = Urgency.BACKGROUND if project.offers_seen_at else Urgency.MEMBER
    provider = provider_in(project, urgency)
    offers = provider.offers()
    note_retirements(project, provider, offers, now)
    with claim.recording():
        for offer in offers:
            _keep(project.provider, offer, now)
        Offer.objects.filter(provider=project.provider, seen_at__lt=now).delete()
        project.offers_seen_at = now
        claim.save("offers_seen_at")


def _keep(provider: str, offer: cloud.Offer, now: datetime) -> None:
    copies = offer.snapshot_price
    Offer.objects.update_or_create(
        provider=provider,
        server_type=offer.server_type,
        location=offer.location,
        defaults={
            "available": offer.available,
            "hourly_micros": offer.price.hourly,
            "monthly_micros": offer.price.monthly,
            "ipv4_hourly_micros": offer.ipv4_price.hourly,
            "ipv4_monthly_micros": offer.ipv4_price.monthly,
            "volume_hourly_micros": offer.volume_price.hourly if offer.volume_price else 0,
            "volume_monthly_micros": offer.volume_price.monthly if offer.volume_price else 0,
            "copy_terabyte_hourly_micros": copies.hourly if copies else None,
            "copy_terabyte_monthly_micros": copies.monthly if copies else None,
            "disk_gb": offer.disk_gb,
            "currency": offer.price.currency,
            "seen_at": now,
        },
    )


def _sweep(claim: Claim[ProviderProject], now: datetime) -> None:
    """Ring for every row that the cloud's list contradicts; each looks for itself before it acts.

    The rows are read before the list, so that a machine made meanwhile is never missed by it.
    """
    project = claim.row
    rows = list(servers_in(project))
    machines = provider_in(project, Urgency.BACKGROUND).machines({FARM_LABEL: install_id()})
    listed = {machine.name for machine in machines}
    _demand_ours(project, rows, listed)
    _note_project(claim, now)
    whole = {m.name for m in machines if m.status is not cloud.MachineStatus.UNFINISHED}
    vanished = [row.pk for row in rows if row.phase in PRESENT and str(row) not in whole]
    returned = [row.pk for row in rows if row.phase in ABSENT and str(row) in listed]
    on = {m.name for m in machines if m.status is cloud.MachineStatus.RUNNING}
    returned += [row.pk for row in rows if row.phase == ServerPhase.OFF and str(row) in on]
    note_types(rows, machines, now)
    missed = [row.pk for row in rows if row.phase in COMING and str(row) not in listed]
    watch_orphans(project, now)
    with claim.recording():
        project.swept_at = now
        claim.save("swept_at")
        Server.objects.filter(pk__in=[*vanished, *returned]).update(due_at=now)
        coming = Server.objects.filter(pk__in=missed, phase__in=COMING, wanted_gone=False)
        coming.update(reason=MISSED, due_at=now)


def _demand_ours(project: ProviderProject, rows: Sequence[Server], listed: Collection[str]) -> None:
    """NeedsOperator where what opens the project changed, and opens one without our machines.

    They are in the one that it opened before: none of them is lost.
    """
    there = sorted((row for row in rows if row.phase in PRESENT), key=lambda row: row.pk)
    changed = project.fingerprint not in ("", fingerprint_of(project))
    # What was made since the change is where it was made, which says nothing of the others.
    if changed and there and str(there[0]) not in listed:
        raise NeedsOperator(
            "other_project",
            f"What opens {project} opens another project now, which has none of the farm's"
            f" {len(there)} machines: put back the token of theirs, or say that it is meant with"
            f" `farm projects accept {project}`.",
        )
    is_ours_again(project)


def _note_project(claim: Claim[ProviderProject], now: datetime) -> None:
    """Since when the settings mean this project: in another one nothing is known to be ours."""
    project, fingerprint = claim.row, fingerprint_of(claim.row)
    if project.fingerprint != fingerprint:
        with claim.recording():
            project.fingerprint, project.pointed_at = fingerprint, now
            claim.save("fingerprint", "pointed_at")
            refill(project)


def _after_trouble(claim: Claim[ProviderProject], error: ProvisioningError, now: datetime) -> Nap:
    project = claim.row
    if isinstance(error, NeedsOperator):
        pause_for_operator(project, error, now)
        return AT_ONCE
    if isinstance(error, Transient) and error.code == RATE_LIMIT:
        return pause_for_everyone(project, error, now) - now
    if isinstance(error, OutOfBudget):
        return timedelta(seconds=error.retry_after or 0) * (1 + jitter())
    project.attempts += 1
    logger.info("%s: attempt %s: %s", project, project.attempts, error)
    return back_off(project.attempts, jitter())
