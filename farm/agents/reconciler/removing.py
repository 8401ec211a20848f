"""How a server ends: given up, removed, and gone only once its cloud shows it no more."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from farm.agents.models import Agent, AgentPhase, Server, ServerPhase
from farm.agents.pace import deadlines
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.machines import provider_of
from farm.agents.reconciler.marks import MOVED, move_server, note_server, ring_agent
from farm.agents.reconciler.troubles import GIVEN_UP, Nap, jitter
from provisioning.lifecycle import poll_delay
from provisioning.provider import MachineStatus, Provider

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
    _record_gone(claim)
    return None


def seek_and_remove(claim: Claim[Server]) -> Nap:
    """An order may have been sent and its answer lost: remove what it made, if it did."""
    server, now = claim.row, timezone.now()
    machine = provider_of(server.provider).find(str(server))
    sent = server.create_sent_at or now
    if machine is None:
        settled = sent + deadlines().settling
        if now < settled:
            return settled - now
        _record_gone(claim)
        return None
    with claim.recording():
        server.provider_id, server.created_at = machine.provider_id, machine.created_at
        claim.save("provider_id", "created_at")
    return remove(claim)


def remove(claim: Claim[Server]) -> Nap:
    """Write down that it is to go, then have it deleted."""
    server, now = claim.row, timezone.now()
    with claim.recording():
        move_server(server, ServerPhase.DELETING, now, reason=_why_given_up(server))
        server.action_ids = ""
        claim.save("action_ids", *MOVED)
        note_server(server, "machine_removed", now)
    orders = provider_of(server.provider).delete(server.provider_id)
    with claim.recording():
        server.action_ids = " ".join(orders)
        claim.save("action_ids")
    return AT_ONCE


def confirm_gone(claim: Claim[Server]) -> Nap:
    """Gone is what the cloud shows, not what the deletion answered."""
    server = claim.row
    provider = provider_of(server.provider)
    machine = provider.find(str(server))
    if machine is None:
        _record_gone(claim, _ended_at(provider, server))
        return None
    if machine.status is not MachineStatus.DELETING:
        provider.delete(machine.provider_id)
    return poll_delay(timezone.now() - server.phase_since, jitter())


def look(claim: Claim[Server]) -> Nap:
    """Somebody missed a machine that should be there: is it?"""
    server, now = claim.row, timezone.now()
    machine = provider_of(server.provider).find(str(server))
    if machine and machine.status is not MachineStatus.UNFINISHED:
        return None
    with claim.recording():
        move_server(server, ServerPhase.LOST, now)
        server.gone_at = now
        claim.save("gone_at", *MOVED)
        note_server(server, "server_lost", now)
    return None


def look_again(claim: Claim[Server]) -> Nap:
    """Somebody saw a machine that should be gone: if it is there, it goes now.

    One that holds a member's work and that nobody gave up was only out of sight: it stays.
    """
    server, now = claim.row, timezone.now()
    machine = provider_of(server.provider).find(str(server))
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
            failed.filter(reason="server_lost").update(reason="machine_found")
    return None if stays else AT_ONCE


def _is_still_somebodys(server: Server) -> bool:
    """Whether a lost machine holds work, and its agent neither goes nor looks for another one.

    The agent's row is held, so that neither can begin before this transaction ends.
    """
    if server.phase != ServerPhase.LOST or not server.serving_since or server.wanted_gone:
        return False
    agents = Agent.objects.select_for_update(no_key=True).filter(servers=server)
    if not agents.filter(wanted=Agent.Wanted.RUNNING).exclude(phase=AgentPhase.PLACING).first():
        return False
    return not Server.objects.filter(agent=server.agent_id, pk__gt=server.pk).exists()


def _why_given_up(server: Server) -> str:
    """Only such a reason stays to the end: its agent counts the machines that did not come up."""
    return server.reason if server.reason in GIVEN_UP else ""


def _ended_at(provider: Provider, server: Server) -> datetime | None:
    """The cloud's own word on when it was deleted, which is until when it charges for it."""
    orders = provider.actions(server.action_ids.split()) if server.action_ids else ()
    return max((order.finished_at for order in orders if order.finished_at), default=None)


def _record_gone(claim: Claim[Server], ended_at: datetime | None = None) -> None:
    server, now = claim.row, timezone.now()
    with claim.recording():
        move_server(server, ServerPhase.GONE, now, reason=_why_given_up(server))
        server.gone_at, server.ended_at, server.first_host_key = now, ended_at, ""
        claim.save("gone_at", "ended_at", "first_host_key", *MOVED)
        note_server(server, "machine_gone", now)
