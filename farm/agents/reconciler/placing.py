"""Finding an agent a machine: the next rung of its ladder within the agreed price."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import timezone

from farm.agents.copies import is_kept
from farm.agents.models import (
    Agent,
    AgentPhase,
    DiskCopy,
    MachineWish,
    Offer,
    OperationStep,
    Placing,
    ProviderProject,
    Server,
    ServerPhase,
)
from farm.agents.pace import deadlines
from farm.agents.placement import Rung, agreed_by, ladder
from farm.agents.projects import project_with_room
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.marks import MOVED, began_at, begin_line, move_agent, note_server
from farm.agents.reconciler.pool_claims import claim_ready
from farm.agents.reconciler.troubles import GIVEN_UP, Nap, jitter, wait_with_reason
from farm.agents.rungs import Choice, choose
from farm.agents.services.channels import take_software_along
from farm.billing.prices import pin_prices
from farm.catalog import Region, catalog

AT_ONCE = timedelta(0)
PRICE_RETRY = timedelta(seconds=5)
FROM_SLEEP = (AgentPhase.CONFIGURING, AgentPhase.FAILED)
AT_A_TIME = 3
"""Agents that ask at once for what was sold out a moment ago."""


def place(claim: Claim[Agent]) -> Nap:
    """Take one that stands ready, else ask for one on the best free rung, with its price pinned."""
    return AT_ONCE if claim_ready(claim) else place_for(claim, None)


def place_for(claim: Claim[Agent], old: Server | None) -> Nap:
    """The same for a machine that is to take over from `old`, which serves meanwhile."""
    agent = claim.row
    region = catalog().regions.get(agent.region)
    plan = catalog().plans.get(agent.plan)
    if not ladder(plan, region):
        ask_for_offers(region, PRICE_RETRY)
        return wait_with_reason(claim, "price_unknown", PRICE_RETRY)
    choice = choose(plan, region, agreed_by(agent), failures(agent))
    if choice.rung is None:
        return _sold_out(claim, region)
    if is_crowded(choice.rung):
        return wait_with_reason(claim, "sold_out", PRICE_RETRY * (0.5 + jitter()))
    request(claim, choice.rung, choice, old=old)
    return None


def start_over(claim: Claim[Agent]) -> Nap:
    """Back to the start; machines that are of no use any more are to go.

    Where its disk is kept it wakes with that; what was to be brought back is on it, or older,
    unless its member wants another machine with just that.
    """
    agent, now = claim.row, timezone.now()
    from_backup = agent.machine_wish == MachineWish.REPLACE and agent.restore_from is not None
    sleeps = agent.phase in FROM_SLEEP and is_kept(agent) and not from_backup
    with claim.recording():
        for server in agent.servers.exclude(phase__in=(ServerPhase.GONE, ServerPhase.LOST)):
            if server.distrusted_at or not server.serving_since:
                useless = Server.objects.filter(pk=server.pk)
                useless.update(wanted_gone=True, let_go_at=server.let_go_at or now, due_at=now)
        move_agent(agent, AgentPhase.WAKING if sleeps else AgentPhase.PLACING, now)
        agent.step, agent.deleted_at = "", None
        agent.restore_from = None if sleeps else agent.restore_from
        claim.save("step", "deleted_at", "restore_from", *MOVED)
        begin_line(agent, OperationStep.Key.RESERVE, now)
    return AT_ONCE


def failures(agent: Agent) -> Callable[[Rung], int]:
    """Where a machine just failed to come up, other places go before it."""
    failed = agent.servers.filter(reason__in=GIVEN_UP, requested_at__gte=began_at(agent))
    tried = [(server.provider, server.location, server.server_type) for server in failed]
    return lambda rung: tried.count((rung.provider, rung.location, rung.server_type))


def is_crowded(rung: Rung) -> bool:
    """Whether enough others ask there already, where the last one asked in vain."""
    there = Server.objects.filter(
        provider=rung.provider, server_type=rung.server_type, location=rung.location
    )
    lately = timezone.now() - 2 * deadlines().capacity
    scarce = there.filter(reason="no_capacity", gone_at__gte=lately).exists()
    asking = there.filter(phase=ServerPhase.REQUESTED, wanted_gone=False)
    return scarce and asking.count() >= AT_A_TIME


def request(
    claim: Claim[Agent],
    rung: Rung,
    choice: Choice,
    *,
    old: Server | None = None,
    copy: DiskCopy | None = None,
) -> None:
    """A machine on that rung, where `old` goes on until it takes over, or made from `copy`."""
    agent, now = claim.row, timezone.now()
    project = copy.project if copy else project_with_room(rung.provider, agent.account)
    with claim.recording():
        if old and not _is_still_wished(agent):
            return
        server = Server.objects.create(
            agent=agent,
            provider=rung.provider,
            project=project,
            server_type=rung.server_type,
            location=rung.location,
            requested_at=now,
            joined_at=now,
            takes_over_from=old,
            made_from=copy,
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
        note_placing(server, agent, choice)
        if copy:
            take_software_along(agent, server.uid)
        agent.reason, agent.reason_detail = "", ""
        claim.save("reason", "reason_detail")
        begin_line(agent, OperationStep.Key.RESERVE, now)
        detail = f"{rung.server_type} {rung.provider} {rung.location}"
        note_server(server, "machine_requested", now, detail=detail)


def _is_still_wished(agent: Agent) -> bool:
    """Its member may have taken the change back meanwhile."""
    agent.refresh_from_db(fields=["machine_wish"])
    return bool(agent.machine_wish)


def note_placing(server: Server, agent: Agent, choice: Choice) -> None:
    """Why the machine is where it is, in the transaction that asks for it."""
    Placing.objects.create(
        server=server,
        plan=agent.plan,
        region=agent.region,
        why=choice.why,
        server_type=server.server_type,
        passed="\n".join(passed.line for passed in choice.passed),
    )


def _sold_out(claim: Claim[Agent], region: Region) -> Nap:
    """Nothing is free: wait, and believe nothing of the list when the wait is over.

    Those who began to wait together do not all look again together.
    """
    wait = deadlines().capacity * (0.75 + jitter() / 2)
    now = timezone.now()
    newest = Offer.objects.filter(provider__in=_providers(region)).order_by("-seen_at").first()
    if claim.row.reason == "sold_out" and newest and _stale(newest.seen_at, now):
        ask_for_offers(region, deadlines().capacity / 2)
        return wait_with_reason(claim, "sold_out", PRICE_RETRY * (0.5 + jitter()))
    return wait_with_reason(claim, "sold_out", wait)


def _stale(seen_at: datetime, now: datetime) -> bool:
    return now - seen_at > deadlines().capacity / 2


def ask_for_offers(region: Region, older: timedelta) -> None:
    """Have each list that is older be read anew, once for all who wait for it."""
    now = timezone.now()
    projects = ProviderProject.objects.filter(provider__in=_providers(region))
    projects.filter(offers_seen_at__lt=now - older).update(offers_seen_at=None, due_at=now)


def _providers(region: Region) -> set[str]:
    return {place.provider for place in region.places}
