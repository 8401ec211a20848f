"""Finding an agent a machine: the next rung of its ladder within the agreed price."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from farm.agents.models import (
    Agent,
    AgentPhase,
    Offer,
    OperationStep,
    ProviderProject,
    Server,
    ServerPhase,
)
from farm.agents.pace import deadlines
from farm.agents.placement import Rung, agreed_by, ladder, open_rungs
from farm.agents.projects import project_with_room
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.marks import MOVED, began_at, begin_line, move_agent, note_server
from farm.agents.reconciler.troubles import GIVEN_UP, Nap, wait_with_reason
from farm.billing.prices import pin_prices
from farm.catalog import Region, catalog

AT_ONCE = timedelta(0)
PRICE_RETRY = timedelta(seconds=5)


def place(claim: Claim[Agent]) -> Nap:
    """Ask for a machine on the best rung that is free, with its price pinned."""
    agent = claim.row
    region = catalog().regions.get(agent.region)
    plan = catalog().plans.get(agent.plan)
    if not ladder(plan, region):
        _ask_for_offers(region)
        return wait_with_reason(claim, "price_unknown", PRICE_RETRY)
    free = open_rungs(plan, region, agreed_by(agent))
    if not free:
        return _sold_out(claim, region)
    _request(claim, _best(agent, free))
    return None


def start_over(claim: Claim[Agent]) -> Nap:
    """Back to the start; machines that are of no use any more are to go."""
    agent, now = claim.row, timezone.now()
    with claim.recording():
        for server in agent.servers.exclude(phase__in=(ServerPhase.GONE, ServerPhase.LOST)):
            if server.distrusted_at or not server.serving_since:
                useless = Server.objects.filter(pk=server.pk)
                useless.update(wanted_gone=True, let_go_at=server.let_go_at or now, due_at=now)
        move_agent(agent, AgentPhase.PLACING, now)
        agent.step, agent.deleted_at = "", None
        claim.save("step", "deleted_at", *MOVED)
        begin_line(agent, OperationStep.Key.RESERVE, now)
    return AT_ONCE


def _best(agent: Agent, free: Sequence[Rung]) -> Rung:
    """The first; where a machine just failed to come up, other places go before it."""
    failed = agent.servers.filter(reason__in=GIVEN_UP, requested_at__gte=began_at(agent))
    tried = [(server.provider, server.location, server.server_type) for server in failed]
    return min(
        free,
        key=lambda rung: (
            tried.count((rung.provider, rung.location, rung.server_type)),
            free.index(rung),
        ),
    )


def _request(claim: Claim[Agent], rung: Rung) -> None:
    agent, now = claim.row, timezone.now()
    with claim.recording():
        server = Server.objects.create(
            agent=agent,
            provider=rung.provider,
            project=project_with_room(rung.provider, agent.account),
            server_type=rung.server_type,
            location=rung.location,
            requested_at=now,
            joined_at=now,
            phase_since=now,
            due_at=now,
        )
        pin_prices(
            server_uid=server.uid,
            at=now,
            server=rung.server,
            ipv4=rung.ipv4,
            volume=rung.volume,
        )
        agent.reason, agent.reason_detail = "", ""
        claim.save("reason", "reason_detail")
        begin_line(agent, OperationStep.Key.RESERVE, now)
        detail = f"{rung.server_type} {rung.provider} {rung.location}"
        note_server(server, "machine_requested", now, detail=detail)


def _sold_out(claim: Claim[Agent], region: Region) -> Nap:
    """Nothing is free: wait, and believe nothing of the list when the wait is over."""
    wait = deadlines().capacity
    now = timezone.now()
    newest = Offer.objects.filter(provider__in=_providers(region)).order_by("-seen_at").first()
    if claim.row.reason == "sold_out" and newest and _stale(newest.seen_at, now):
        _ask_for_offers(region)
        return wait_with_reason(claim, "sold_out", PRICE_RETRY)
    return wait_with_reason(claim, "sold_out", wait)


def _stale(seen_at: datetime, now: datetime) -> bool:
    return now - seen_at > deadlines().capacity / 2


def _ask_for_offers(region: Region) -> None:
    projects = ProviderProject.objects.filter(provider__in=_providers(region))
    projects.update(offers_seen_at=None, due_at=timezone.now())


def _providers(region: Region) -> set[str]:
    return {place.provider for place in region.places}
