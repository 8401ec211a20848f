"""How an agent is woken: on its own machine, from the copy of its disk, or from its backup."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from farm.agents.clouds import OFF_IS_FREE
from farm.agents.copies import kept_copy, let_go
from farm.agents.events import note
from farm.agents.machine_of import machine_of
from farm.agents.models import (
    Agent,
    AgentPhase,
    DiskCopy,
    OperationStep,
    Power,
    Server,
    ServerPhase,
)
from farm.agents.pace import SAFETY_NET, deadlines
from farm.agents.placement import PRICE_ROSE, Rung, agreed_by, is_within, ladder, open_rungs
from farm.agents.projects import CLOSED
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.failing import fail_refused
from farm.agents.reconciler.marks import MOVED, began_at, begin_line, move_agent
from farm.agents.reconciler.placing import ask_for_offers, failures, is_crowded, request
from farm.agents.reconciler.powering import SOLD_OUT
from farm.agents.reconciler.troubles import Nap, jitter, wait_with_reason
from farm.agents.rungs import choose
from farm.agents.saving import saving_of
from farm.billing.selectors import rate_of
from farm.catalog import Plan, Region, catalog
from provisioning.steps import Saving, SetUp

AT_ONCE = timedelta(0)
SOON = timedelta(seconds=5)
OVER = (ServerPhase.GONE, ServerPhase.LOST)


def begin(claim: Claim[Agent]) -> Nap:
    """It is wanted again; a machine of its own that is still there comes back, and no other."""
    agent, now = claim.row, timezone.now()
    with claim.recording():
        move_agent(agent, AgentPhase.WAKING, now)
        agent.step = SetUp.NOTHING
        claim.save("step", *MOVED)
        if not _is_dearer(agent):
            _want_power(agent, Power.ON, now)
        begin_line(agent, OperationStep.Key.RESERVE, now)
    return AT_ONCE


def rise(claim: Claim[Agent]) -> Nap:
    """Its machine is switched on; one for which its cloud has no room is left for its backup."""
    agent, now = claim.row, timezone.now()
    server = machine_of(agent)
    if server is None:
        return AT_ONCE
    if server.reason == SOLD_OUT and _may_fall_back(agent):
        return _fall_back(claim)
    if server.wanted_power != Power.ON and _is_dearer(agent):
        return wait_with_reason(claim, PRICE_ROSE, deadlines().capacity)
    with claim.recording():
        if agent.reason == PRICE_ROSE:
            agent.reason = ""
            claim.save("reason")
        if server.wanted_power != Power.ON:
            _want_power(agent, Power.ON, now)
        if server.reason:
            # It is its cloud that it waits for: only a machine that is on is to answer in time.
            agent.phase_since = now
            claim.save("phase_since")
    return SAFETY_NET


def place_copy(claim: Claim[Agent]) -> Nap:
    """A machine from the copy: of any type of its ladder that the copy boots on, if one is free."""
    agent, copy = claim.row, kept_copy(claim.row)
    if copy is None:
        return SOON
    if _is_refused(agent):
        return _fall_back(claim) if _may_fall_back(agent) else fail_refused(claim)
    region = catalog().regions.get(agent.region)
    plan = catalog().plans.get(agent.plan)
    choice = choose(
        plan, region, agreed_by(agent), failures(agent), lambda rung: boots_on(copy, rung)
    )
    closed = copy.project is not None and copy.project.reason in CLOSED
    if choice.rung and not is_crowded(choice.rung) and not (closed and _may_fall_back(agent)):
        request(claim, choice.rung, choice, copy=copy)
        return None
    if choice.rung is None and not ladder(plan, region):
        ask_for_offers(region, SOON)
        return wait_with_reason(claim, "price_unknown", SOON)
    return _fall_back(claim) if _may_fall_back(agent) else _wait(claim, copy, plan, region)


def place_backup(claim: Claim[Agent]) -> Nap:
    """What was saved before its sleep goes onto another machine; what was kept stays till then."""
    agent, now = claim.row, timezone.now()
    with claim.recording():
        move_agent(agent, AgentPhase.PLACING, now)
        agent.step = SetUp.NOTHING
        claim.save("step", *MOVED)
        begin_line(agent, OperationStep.Key.RESERVE, now)
    return AT_ONCE


def lie_down(claim: Claim[Agent]) -> Nap:
    """It is to sleep after all; a machine made from its copy has nothing that the copy lacks."""
    agent, now = claim.row, timezone.now()
    with claim.recording():
        fresh = agent.servers.filter(serving_since=None, wanted_gone=False)
        Server.objects.filter(pk__in=fresh.values("pk")).exclude(phase__in=OVER).update(
            wanted_gone=True, let_go_at=now, due_at=now
        )
        _want_power(agent, Power.ASLEEP, now)
        move_agent(agent, AgentPhase.STOPPING, now)
        agent.step, agent.restore_from = SetUp.STILL, None
        claim.save("step", "restore_from", *MOVED)
        begin_line(agent, OperationStep.Key.HALT, now)
    return AT_ONCE


def let_go_of_sleep(agent: Agent, serving: Server, now: datetime) -> None:
    """It answers on that machine: what it slept with, whatever it was, is of no use any more."""
    let_go(agent.copies.all(), now)
    asleep = agent.servers.filter(wanted_power=Power.ASLEEP).exclude(pk=serving.pk)
    rows = Server.objects.filter(pk__in=asleep.values("pk"), wanted_gone=False)
    rows.exclude(phase__in=OVER).update(wanted_gone=True, let_go_at=now, due_at=now)


def boots_on(copy: DiskCopy, rung: Rung) -> bool:
    """Whether a machine there can be made from the copy: same cloud, place, processor, and room."""
    arm = catalog().arm
    same_processor = (rung.server_type in arm) == (copy.server.server_type in arm)
    there = copy.location in ("", rung.location)
    # A disk sold apart is made as large as the copy wants it.
    roomy = rung.volume is not None or rung.disk_gb >= (copy.disk_gb or 0)
    return rung.provider == copy.provider and there and same_processor and roomy


def _is_dearer(agent: Agent) -> bool:
    """Whether its machine, kept while it slept, costs more by now than what was agreed to."""
    server = machine_of(agent)
    rate = rate_of(server.uid) if server and server.provider in OFF_IS_FREE else None
    return rate is not None and not is_within(rate, agreed_by(agent))


def _is_refused(agent: Agent) -> bool:
    """Whether its cloud would make no machine from the copy when this wish last asked for one."""
    newest = machine_of(agent)
    if newest is None or newest.requested_at < began_at(agent):
        return False
    return newest.reason == "rejected" and newest.made_from is not None


def _may_fall_back(agent: Agent) -> bool:
    """Whether all that it fell asleep with is in its backup, and there is a machine for that."""
    if saving_of(agent, timezone.now()) is not Saving.KEPT:
        return False
    plan, region = catalog().plans.get(agent.plan), catalog().regions.get(agent.region)
    return bool(open_rungs(plan, region, agreed_by(agent)))


def _fall_back(claim: Claim[Agent]) -> Nap:
    agent, now = claim.row, timezone.now()
    with claim.recording():
        agent.restore_from = agent.saving
        agent.reason, agent.reason_detail = "", ""
        claim.save("restore_from", "reason", "reason_detail")
        _want_power(agent, Power.ASLEEP, now)
        note(agent, "wake_from_backup", at=now)
    return AT_ONCE


def _wait(claim: Claim[Agent], copy: DiskCopy, plan: Plan, region: Region) -> Nap:
    """Nothing is to be had within what was agreed: it sleeps on, and nothing more is counted."""
    ask_for_offers(region, deadlines().capacity)
    free = [rung for rung in ladder(plan, region) if rung.available and boots_on(copy, rung)]
    dearer = bool(free) and not any(rung.within(agreed_by(claim.row)) for rung in free)
    nap = deadlines().capacity * (0.75 + jitter() / 2)
    return wait_with_reason(claim, PRICE_ROSE if dearer else SOLD_OUT, nap)


def _want_power(agent: Agent, power: Power, now: datetime) -> None:
    """Of the machine that counts for it, if it is not on its way out for good."""
    server = machine_of(agent)
    if server is not None:
        rows = Server.objects.filter(pk=server.pk, wanted_gone=False).exclude(phase__in=OVER)
        rows.update(wanted_power=power, due_at=now)
