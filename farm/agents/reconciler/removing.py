"""How a server ends: given up, removed, and gone only once its cloud shows it no more."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from farm.agents.models import Agent, AgentPhase, Server, ServerPhase
from farm.agents.pace import deadlines
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.machines import provider_at
from farm.agents.reconciler.marks import MISSED, MOVED, move_server, note_server, ring_agent
from farm.agents.reconciler.orders import ORDERED, set_orders, state_of_orders
from farm.agents.reconciler.parts import end_parts, note_parts
from farm.agents.reconciler.server_types import settle_type
from farm.agents.reconciler.troubles import GIVEN_UP, Nap, jitter
from provisioning.lifecycle import poll_delay
from provisioning.provider import ActionStatus, MachineStatus

AT_ONCE = timedelta(0)


def give_up(claim: Claim[Server], reason: str, detail: str = "") -> Nap:
    """This machine will not come up: it is to go, and its agent looks for another."""
    server, now = claim.row, timezone.now()
    with claim.recording():
        server.wanted_gone, server.reason, server.reason_detail = True, reason, detail[:500]
        claim.save("wanted_gone", "reason", "reason_detail")
        note_server(server, reason, now, detail=detail)
        ring_agent(server)
    return AT_ONCE


def drop(claim: Claim[Server]) -> Nap:
    """Nothing was ever ordered: nothing is to be removed."""
    record_gone(claim)
    return None


def seek_and_remove(claim: Claim[Server]) -> Nap:
    """An order may have been sent and its answer lost: remove what it made, if it did."""
    server, now = claim.row, timezone.now()
    machine = provider_at(server).find(str(server))
    sent = server.create_sent_at or now
    if machine is None:
        settled = sent + deadlines().settling
        if now < settled:
            return settled - now
        record_gone(claim)
        return None
    with claim.recording():
        server.provider_id = machine.provider_id
        server.created_at = machine.created_at or server.create_sent_at
        claim.save("provider_id", "created_at")
    return remove(claim)


def remove(claim: Claim[Server]) -> Nap:
    """Write down that it is to go, then have it deleted."""
    server, now = claim.row, timezone.now()
    settle_type(claim, now)
    with claim.recording():
        move_server(server, ServerPhase.DELETING, now, reason=_why_given_up(server))
        set_orders(server, ())
        claim.save(*ORDERED, *MOVED)
        note_server(server, "machine_removed", now)
    note_parts(claim)
    orders = provider_at(server).delete(server.provider_id)
    with claim.recording():
        set_orders(server, orders)
        claim.save(*ORDERED)
    return AT_ONCE


def confirm_gone(claim: Claim[Server]) -> Nap:
    """Gone is what the cloud shows, not what the deletion answered."""
    server, provider = claim.row, provider_at(claim.row)
    later = poll_delay(timezone.now() - server.phase_since, jitter())
    if state_of_orders(claim) is ActionStatus.RUNNING:
        return later
    machine = provider.find(str(server))
    if machine is None:
        record_gone(claim, server.orders_ended_at)
        return None
    if machine.status is not MachineStatus.DELETING:
        note_parts(claim)
        provider.delete(machine.provider_id)
    return later


def look(claim: Claim[Server]) -> Nap:
    """Somebody missed a machine that should be there: is it?"""
    machine = provider_at(claim.row).find(str(claim.row))
    if machine and machine.status is not MachineStatus.UNFINISHED:
        return _found(claim)
    return record_lost(claim)


def record_lost(claim: Claim[Server]) -> Nap:
    """Its cloud shows it no more, and nobody asked for that."""
    server, now = claim.row, timezone.now()
    with claim.recording():
        move_server(server, ServerPhase.LOST, now)
        server.gone_at = now
        claim.save("gone_at", *MOVED)
        note_server(server, "server_lost" if server.serving_since else "machine_vanished", now)
    return None


def _found(claim: Claim[Server]) -> Nap:
    """It is there: one that comes goes on coming."""
    if claim.row.reason != MISSED:
        return None
    with claim.recording():
        claim.row.reason = ""
        claim.save("reason")
    return AT_ONCE


def look_again(claim: Claim[Server]) -> Nap:
    """Somebody saw a machine that should be gone: if it is there, it goes now.

    One that holds a member's work and that nobody gave up was only out of sight: it stays.
    """
    server, now = claim.row, timezone.now()
    machine = provider_at(server).find(str(server))
    if machine is None:
        return None
    with claim.recording():
        stays = _is_still_somebodys(server)
        if stays and machine.status is MachineStatus.UNFINISHED:
            # The machine is gone but for its disk, on which its member's work may be.
            return None
        server.provider_id, server.wanted_gone = machine.provider_id, not stays
        server.gone_at, server.ended_at, server.metered = None, None, False
        phase = ServerPhase.READY if stays else ServerPhase.DELETING
        move_server(server, phase, now, reason=_why_given_up(server))
        claim.save("provider_id", "wanted_gone", "gone_at", "ended_at", "metered", *MOVED)
        if stays:
            note_server(server, "machine_found", now)
            # Its page said that all was lost: nobody shall delete the agent for that.
            failed = Agent.objects.filter(servers=server, phase=AgentPhase.FAILED)
            lost = failed.filter(reason__in=("server_lost", "copy_lost"))
            lost.update(reason="machine_found", restore_from=None)
    return None if stays else AT_ONCE


def _is_still_somebodys(server: Server) -> bool:
    """Whether a lost machine holds work, and its agent neither goes nor looks for another one.

    The agent's row is held, so that neither can begin before this transaction ends.
    """
    if server.phase != ServerPhase.LOST or not server.serving_since or server.wanted_gone:
        return False
    agents = Agent.objects.select_for_update(no_key=True).filter(servers=server)
    staying = agents.exclude(wanted=Agent.Wanted.DELETED)
    if not staying.exclude(phase=AgentPhase.PLACING).first():
        return False
    return not Server.objects.filter(agent=server.agent_id, pk__gt=server.pk).exists()


def _why_given_up(server: Server) -> str:
    """Only such a reason stays to the end: its agent counts the machines that did not come up."""
    return server.reason if server.reason in GIVEN_UP else ""


def record_gone(claim: Claim[Server], ended_at: datetime | None = None) -> None:
    """Its cloud shows it no more, as was wanted; `ended_at` is that cloud's own word."""
    server, now = claim.row, timezone.now()
    with claim.recording():
        move_server(server, ServerPhase.GONE, now, reason=_why_given_up(server))
        server.gone_at, server.ended_at, server.first_host_key = now, ended_at, ""
        end_parts(server, now)
        claim.save("gone_at", "ended_at", "first_host_key", "spans", *MOVED)
        note_server(server, "machine_gone", now)
