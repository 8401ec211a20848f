"""How an agent's machine becomes another type: halted, changed by its cloud, on again."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from farm.agents.events import note
from farm.agents.models import (
    Agent,
    AgentPhase,
    Change,
    MachineWish,
    Offer,
    OperationStep,
    Power,
    Server,
)
from farm.agents.pace import SAFETY_NET, deadlines
from farm.agents.placement import Rung, agreed_by
from farm.agents.reconciler import removing
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.going_back import end_change, go_back, switch_on
from farm.agents.reconciler.machines import provider_at
from farm.agents.reconciler.marks import MOVED, begin_line, move_agent, note_server, ring_agent
from farm.agents.reconciler.pauses import QUOTA
from farm.agents.reconciler.server_types import SENT, record_type
from farm.agents.reconciler.setting_up import server_of
from farm.agents.reconciler.troubles import Nap, jitter
from farm.agents.sizes import types_in_place
from farm.catalog import catalog
from provisioning.errors import NeedsOperator, NoCapacity, Rejected
from provisioning.lifecycle import poll_delay
from provisioning.provider import Machine
from provisioning.steps import SetUp

AT_ONCE = timedelta(0)
TROUBLES = ("resize_sold_out", "resize_refused", "resize_full", "resize_timeout")


def begin_resize(claim: Claim[Agent]) -> Nap:
    """Choose the type; where its cloud has none to be had there, another machine takes its place.

    The cheapest within what was agreed, of its own processor and with a disk no smaller.
    """
    agent, now, server = claim.row, timezone.now(), server_of(claim.row)
    chosen = _chosen(agent, server)
    with claim.recording():
        agent.refresh_from_db(fields=["machine_wish"])
        if agent.machine_wish != MachineWish.RESIZE:
            return AT_ONCE
        if chosen is None:
            agent.machine_wish = MachineWish.REPLACE
            claim.save("machine_wish")
            note(agent, "resize_elsewhere", at=now)
            return AT_ONCE
        Server.objects.filter(pk=server.pk).update(wanted_type=chosen.server_type)
        move_agent(agent, AgentPhase.RESIZING, now)
        agent.step = SetUp.NOTHING
        claim.save("step", *MOVED)
        begin_line(agent, OperationStep.Key.HALT, now)
    return AT_ONCE


def halt(claim: Claim[Agent]) -> Nap:
    """Its program has ended, or does not; now its machine is switched off."""
    with claim.recording():
        server = Server.objects.filter(pk=server_of(claim.row).pk)
        server.update(wanted_power=Power.OFF, due_at=timezone.now())
    return SAFETY_NET


def wake(claim: Claim[Agent]) -> Nap:
    """It is what it is to be, or stays what it was: on again."""
    with claim.recording():
        switch_on(claim.row, timezone.now())
    return SAFETY_NET


def reconfigure(claim: Claim[Agent]) -> Nap:
    """It is on with the new type: what its program may use follows."""
    agent, now = claim.row, timezone.now()
    with claim.recording():
        move_agent(agent, AgentPhase.CONFIGURING, now)
        agent.step = SetUp.NOTHING
        claim.save("step", *MOVED)
        note(agent, "resized", at=now)
        begin_line(agent, OperationStep.Key.PERSONALITY, now)
    return AT_ONCE


def give_up_type(claim: Claim[Agent]) -> Nap:
    """It is on with its old type: the cloud did not make it the other one."""
    agent = claim.row
    change = Change.objects.filter(agent=agent).select_related("operation").first()
    said = agent.events.filter(code__in=TROUBLES)
    if change:
        said = said.filter(at__gte=change.operation.started_at)
    latest = said.last()
    with claim.recording():
        end_change(claim, "resize_failed", str(latest.detail) if latest else "")
    return go_back(claim)


def become(claim: Claim[Server]) -> Nap:
    """The machine is off: have its cloud make it the type it is to be. The intent comes first."""
    server, provider = claim.row, provider_at(claim.row)
    machine = provider.find(str(server))
    if machine is None:
        return removing.record_lost(claim)
    if machine.server_type == server.wanted_type:
        return _record_type(claim)
    waited = timezone.now() - server.phase_since
    if server.reason != SENT:
        _intend(claim)
    elif waited > deadlines().waking:
        return _refused(claim, "resize_timeout")
    return _order(claim, machine, poll_delay(waited, jitter()))


def _order(claim: Claim[Server], machine: Machine, later: timedelta) -> Nap:
    """Look again `later`: what the cloud shows counts, not what it answered, unless that is no."""
    server = claim.row
    try:
        provider_at(server).resize(machine.provider_id, server.wanted_type)
    except NoCapacity:
        return _record_sold_out(claim)
    except Rejected as error:
        return _refused(claim, "resize_refused", str(error))
    except NeedsOperator as error:
        if error.code != QUOTA:
            raise
        return _refused(claim, "resize_full", str(error))
    return later


def _chosen(agent: Agent, server: Server) -> Rung | None:
    fitting = types_in_place(server, catalog().plans.get(agent.plan))
    return next((rung for rung in fitting if rung.within(agreed_by(agent))), None)


def _intend(claim: Claim[Server]) -> None:
    server, now = claim.row, timezone.now()
    with claim.recording():
        server.reason, server.phase_since = SENT, now
        claim.save("reason", "phase_since")
        if server.agent and server.agent.wanted == Agent.Wanted.RUNNING:
            begin_line(server.agent, OperationStep.Key.RESIZE, now)


def _record_type(claim: Claim[Server]) -> Nap:
    """From when it was asked for it costs what the new type costs."""
    server, now = claim.row, timezone.now()
    with claim.recording():
        record_type(claim, server.wanted_type, server.phase_since, now)
        server.reason = ""
        claim.save("reason")
        ring_agent(server)
    return None


def _record_sold_out(claim: Claim[Server]) -> Nap:
    server = claim.row
    with claim.recording():
        Offer.objects.filter(
            provider=server.provider, server_type=server.wanted_type, location=server.location
        ).update(available=False)
    return _refused(claim, "resize_sold_out", f"{server.wanted_type} {server.location}")


def _refused(claim: Claim[Server], code: str, detail: str = "") -> Nap:
    """It stays what it is; its agent has it switched on again."""
    server, now = claim.row, timezone.now()
    with claim.recording():
        server.wanted_type, server.reason = "", ""
        claim.save("wanted_type", "reason")
        note_server(server, code, now, detail=detail)
        ring_agent(server)
    return None
