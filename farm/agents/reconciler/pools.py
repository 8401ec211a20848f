"""One step of a pool: one machine more, those let go that are too many or too old, or rest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from farm.agents.demand import wanted_now
from farm.agents.models import (
    Offer,
    Pool,
    PooledServer,
    ProviderProject,
    Server,
    ServerImage,
    ServerPhase,
)
from farm.agents.placement import Rung, open_rungs
from farm.agents.projects import AT_AN_END, CLOSED, emptiest_project, project_at, servers_in
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.troubles import GIVEN_UP, Nap
from farm.billing.prices import Rate, pin_prices
from farm.catalog import catalog

AT_ONCE = timedelta(0)
LOOK_EVERY = timedelta(seconds=30)
FAILURES, FAILED_LATELY = 3, timedelta(hours=6)
HOUR = timedelta(hours=1)


def drive_pool(claim: Claim[Pool]) -> Nap:
    """Look at its machines and do one thing; answers when to look again."""
    pool, now = claim.row, timezone.now()
    wanted = wanted_now(pool, now)
    there = machines_of(pool)
    good = [server for server in there if not is_outdated(server)]
    old = [server for server in there if server not in good]
    ready = [server for server in good if server.warmed_at]
    if len(good) > wanted:
        surplus = sorted(good, key=lambda server: _rest_of_hour(server, now))
        return _let_go(claim, [*old, *surplus[: len(good) - wanted]])
    if old and len(ready) >= wanted:
        return _let_go(claim, old)
    if given := _places_members_wait_for(there):
        return _let_go(claim, given[:1])
    return _order(claim, now) if len(good) < wanted else _rest(claim, "")


def machines_of(pool: Pool) -> Sequence[Server]:
    """Those that nobody has claimed, on their way or ready, the oldest first."""
    free = Server.objects.filter(pooled__pool=pool, agent=None, wanted_gone=False)
    there = free.filter(distrusted_at=None).exclude(phase__in=AT_AN_END)
    return list(there.select_related("pooled", "project").order_by("pk"))


def is_outdated(server: Server) -> bool:
    """Whether its runtime is not what is pinned now, or a newer image is there than it is from."""
    if server.pooled.runtime_version != catalog().runtime_version:
        return True
    newer = ServerImage.objects.filter(
        project=project_at(server),
        state=ServerImage.State.GOOD,
        location__in=("", server.location),
        good_at__gt=server.requested_at,
    )
    return server.server_type not in catalog().arm and newer.exists()


def agreed_for(pool: Pool) -> Rate:
    """What a machine of it may cost: the price that was shown when its number was set."""
    return Rate(pool.agreed_hourly_micros, pool.agreed_monthly_micros, pool.agreed_currency)


def _order(claim: Claim[Pool], now: datetime) -> Nap:
    """A machine of nobody's on the best free rung, unless members need the place more."""
    pool = claim.row
    if _failures(pool, now) >= FAILURES:
        return _rest(claim, "machines_do_not_start")
    plan, region = catalog().plans.get(pool.plan), catalog().regions.get(pool.region)
    for rung in open_rungs(plan, region, agreed_for(pool), for_farm=True):
        project = emptiest_project(rung.provider)
        if project is not None and _leaves_places(project):
            _request(claim, rung, project, now)
            return AT_ONCE
    known = Offer.objects.exists()
    return _rest(claim, "pool_waits" if known else "price_unknown")


def _leaves_places(project: ProviderProject) -> bool:
    """Whether the account's last places stay free for members, as far as its size is known."""
    if not settings.CLOUD_MACHINES_MOST:
        return True
    living = servers_in(project).exclude(phase__in=AT_AN_END).count()
    return living < settings.CLOUD_MACHINES_MOST - settings.POOL_LEAVES_FREE


def _places_members_wait_for(there: Sequence[Server]) -> Sequence[Server]:
    """Those in a closed project that are not made yet, and those whose place an agent waits for."""
    full = [one for one in there if one.project and one.project.reason in CLOSED]
    waiting = Server.objects.filter(
        project__in={one.project_id for one in full},
        agent__isnull=False,
        phase=ServerPhase.REQUESTED,
        wanted_gone=False,
    )
    needed = set(waiting.values_list("project_id", flat=True))
    unmade = [one for one in full if one.phase == ServerPhase.REQUESTED]
    return unmade or [one for one in full if one.project_id in needed]


def _failures(pool: Pool, now: datetime) -> int:
    failed = Server.objects.filter(pooled__pool=pool, reason__in=GIVEN_UP)
    return failed.filter(requested_at__gt=now - FAILED_LATELY).count()


def _request(claim: Claim[Pool], rung: Rung, project: ProviderProject, now: datetime) -> None:
    pool = claim.row
    with claim.recording():
        server = Server.objects.create(
            provider=rung.provider,
            project=project,
            server_type=rung.server_type,
            location=rung.location,
            requested_at=now,
            phase_since=now,
            due_at=now,
        )
        pin_prices(
            server_uid=server.uid, at=now, server=rung.server, ipv4=rung.ipv4, volume=rung.volume
        )
        PooledServer.objects.create(
            server=server,
            pool=pool,
            step_since=now,
            runtime_version=catalog().runtime_version,
            due_at=now,
        )
        pool.reason = ""
        claim.save("reason")


def _let_go(claim: Claim[Pool], servers: Sequence[Server]) -> Nap:
    """Those that nobody claimed meanwhile: the condition is on the row that a claim changes."""
    now = timezone.now()
    with claim.recording():
        free: QuerySet[Server] = Server.objects.filter(pk__in=[one.pk for one in servers])
        free.filter(agent=None).update(wanted_gone=True, let_go_at=now, due_at=now)
    return AT_ONCE


def _rest(claim: Claim[Pool], reason: str) -> Nap:
    if claim.row.reason != reason:
        claim.row.reason = reason
        with claim.recording():
            claim.save("reason")
    return LOOK_EVERY


def _rest_of_hour(server: Server, now: datetime) -> timedelta:
    """How much of the hour that is paid for anyhow is left; nothing of one not made yet."""
    return HOUR - (now - server.created_at) % HOUR if server.created_at else timedelta()
