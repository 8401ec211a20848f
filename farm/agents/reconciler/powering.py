"""How a machine is switched off, copied and deleted where off costs money, and switched on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from farm.agents.copies import copy_of, let_go
from farm.agents.models import Agent, DiskCopy, OperationStep, Power, Server, ServerPhase
from farm.agents.pace import SAFETY_NET, deadlines
from farm.agents.projects import project_at
from farm.agents.reconciler import removing
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.copies import labels_of
from farm.agents.reconciler.machines import provider_at, shell_of
from farm.agents.reconciler.marks import MOVED, begin_line, move_server, note_server, ring_agent
from farm.agents.reconciler.parts import note_parts
from farm.agents.reconciler.pauses import mended
from farm.agents.reconciler.troubles import Nap, jitter, wait_with_reason
from provisioning.errors import NoCapacity, Transient
from provisioning.lifecycle import poll_delay
from provisioning.provider import Copy, CopyStatus, Machine, MachineStatus
from provisioning.sleeping import SleepStep, next_sleep_step

AT_ONCE = timedelta(0)
HALTING = "halting"
SOLD_OUT = "wake_sold_out"
SPEC = ("wanted_power", "wanted_gone")


def switch_off(claim: Claim[Server]) -> Nap:
    """From here on it is on its way out, unless whoever wanted that took it back meanwhile."""
    server, now = claim.row, timezone.now()
    with claim.recording():
        server.refresh_from_db(fields=SPEC)
        if server.wanted_gone or server.wanted_power == Power.ON:
            return AT_ONCE
        move_server(server, ServerPhase.HALTING, now)
        claim.save(*MOVED)
        note_server(server, "machine_halting", now)
        _begin(server, OperationStep.Key.HALT)
    return AT_ONCE


def halt(claim: Claim[Server]) -> Nap:
    """Look, and take one step: off, then copied where off costs money, and only then deleted."""
    server, provider = claim.row, provider_at(claim.row)
    machine = provider.find(str(server))
    mended(project_at(server), created=False)
    stays = provider.off_is_free or server.wanted_power == Power.OFF
    row = None if stays else copy_of(server)
    copy = _shown(server, row) if row else None
    if row and machine and machine.status is MachineStatus.RUNNING:
        return _copy_again(claim)
    step = next_sleep_step(machine, copy, off_is_free=stays)
    if step is SleepStep.HALT and machine:
        return _halt(claim, machine)
    if step is SleepStep.ASLEEP:
        return _record_off(claim) if machine else _record_gone(claim)
    if row is None and step is not SleepStep.COPY:
        return removing.record_lost(claim) if step is SleepStep.LOST else _later(server)
    return _WITH_COPY.get(step, _wait)(claim)


def look_off(claim: Claim[Server]) -> Nap:
    """Somebody missed it, or saw it on: it is off, or is halted again."""
    server, provider = claim.row, provider_at(claim.row)
    machine = provider.find(str(server))
    if machine is None:
        return removing.record_lost(claim)
    costs = server.wanted_power == Power.ASLEEP and not provider.off_is_free
    if machine.status is MachineStatus.RUNNING or costs:
        return switch_off(claim)
    return None


def switch_on(claim: Claim[Server]) -> Nap:
    """It is wanted again: whatever was copied of it is older than what it has."""
    server, now = claim.row, timezone.now()
    with claim.recording():
        server.refresh_from_db(fields=SPEC)
        if server.wanted_gone or server.wanted_power != Power.ON:
            return AT_ONCE
        move_server(server, ServerPhase.WAKING, now)
        claim.save(*MOVED)
        let_go(_copies(server), now)
        note_server(server, "machine_waking", now)
        _begin(server, OperationStep.Key.SWITCH_ON)
    return AT_ONCE


def rise(claim: Claim[Server]) -> Nap:
    """Look, switch it on, and be sure that it is the one it was."""
    server, provider = claim.row, provider_at(claim.row)
    machine = provider.find(str(server))
    mended(project_at(server), created=False)
    if machine is None:
        return removing.record_lost(claim)
    if machine.status is MachineStatus.OFF:
        try:
            provider.power_on(machine.provider_id)
        except NoCapacity:
            return _sold_out(claim)
    if machine.status is not MachineStatus.RUNNING:
        return _later(server)
    _note_address(claim, machine)
    try:
        with shell_of(server) as shell:
            host_key = shell.host_key
    except Transient:
        # A machine that boots refuses connections, and drops them.
        return _later(server)
    return _record_ready(claim, host_key)


def _wait(_claim: Claim[Server]) -> Nap:
    """Its copy rings when it is ready."""
    return SAFETY_NET


def _shown(server: Server, row: DiskCopy) -> Copy | None:
    """The copy as its cloud shows it, once its row says that it is there."""
    there = provider_at(server).copies(labels_of(row)) if row.cloud_id else ()
    return next((copy for copy in there if copy.status is not CopyStatus.BROKEN), None)


def _halt(claim: Claim[Server], machine: Machine) -> Nap:
    """Ask once; a machine that does not halt by itself has its plug pulled."""
    server = claim.row
    waited = timezone.now() - server.phase_since
    if waited > deadlines().halting:
        note_parts(claim)
        provider_at(server).power_off(machine.provider_id)
    elif server.reason != HALTING:
        note_parts(claim)
        provider_at(server).shutdown(machine.provider_id)
    return wait_with_reason(claim, HALTING, poll_delay(waited, jitter()))


def _copy_again(claim: Claim[Server]) -> Nap:
    """It was on since it was copied, and may have written."""
    server, now = claim.row, timezone.now()
    with claim.recording():
        let_go(_copies(server), now)
        server.reason, server.phase_since = "", now
        claim.save("reason", "phase_since")
    return AT_ONCE


def _ask_for_copy(claim: Claim[Server]) -> Nap:
    """The row comes before the order, so that no copy is ever unknown."""
    server, now = claim.row, timezone.now()
    with claim.recording():
        if server.agent is None or copy_of(server):
            return SAFETY_NET
        server.reason = ""
        claim.save("reason")
        DiskCopy.objects.create(
            server=server,
            agent=server.agent,
            provider=server.provider,
            project=project_at(server),
            asked_at=now,
            phase_since=now,
            due_at=now,
        )
        note_server(server, "copy_asked", now)
        _begin(server, OperationStep.Key.KEEP)
    return SAFETY_NET


def _delete(claim: Claim[Server]) -> Nap:
    """All that it has is on its copy: from here on there is no way back to this machine."""
    server, now = claim.row, timezone.now()
    with claim.recording():
        server.refresh_from_db(fields=SPEC)
        if server.wanted_gone or server.wanted_power == Power.ON:
            return AT_ONCE
        server.wanted_gone, server.let_go_at = True, server.let_go_at or now
        claim.save("wanted_gone", "let_go_at")
        _begin(server, OperationStep.Key.REMOVE)
    return removing.remove(claim)


def _record_off(claim: Claim[Server]) -> Nap:
    note_parts(claim)
    server, now = claim.row, timezone.now()
    with claim.recording():
        move_server(server, ServerPhase.OFF, now)
        claim.save(*MOVED)
        note_server(server, "machine_off", now)
    return AT_ONCE if server.wanted_type else None


def _record_gone(claim: Claim[Server]) -> Nap:
    """Somebody deleted it at its cloud before we did; its copy has all that it had."""
    server, now = claim.row, timezone.now()
    with claim.recording():
        server.wanted_gone, server.let_go_at = True, server.let_go_at or now
        claim.save("wanted_gone", "let_go_at")
    removing.record_gone(claim)
    return None


def _sold_out(claim: Claim[Server]) -> Nap:
    """Its cloud has no room for it now: it stays as it is, and its agent may do something else."""
    if claim.row.reason != SOLD_OUT:
        with claim.recording():
            ring_agent(claim.row)
    return wait_with_reason(claim, SOLD_OUT, deadlines().capacity)


def _note_address(claim: Claim[Server], machine: Machine) -> None:
    if machine.ipv4 and machine.ipv4 != claim.row.ipv4:
        claim.row.ipv4 = machine.ipv4
        with claim.recording():
            claim.save("ipv4")


def _record_ready(claim: Claim[Server], host_key: str) -> Nap:
    note_parts(claim)
    server, now = claim.row, timezone.now()
    with claim.recording():
        if host_key == server.pending_host_key:
            server.host_key, server.pending_host_key = host_key, ""
        move_server(server, ServerPhase.READY, now)
        claim.save("host_key", "pending_host_key", *MOVED)
        note_server(server, "machine_ready", now)
    return None


_WITH_COPY: Mapping[SleepStep, Callable[[Claim[Server]], Nap]] = {
    SleepStep.COPY: _ask_for_copy,
    SleepStep.DELETE: _delete,
    SleepStep.LOST: removing.record_lost,
}


def _copies(server: Server) -> QuerySet[DiskCopy]:
    return DiskCopy.objects.filter(server=server)


def _begin(server: Server, key: OperationStep.Key) -> None:
    if server.agent and server.agent.wanted != Agent.Wanted.DELETED:
        begin_line(server.agent, key, timezone.now())


def _later(server: Server) -> Nap:
    return poll_delay(timezone.now() - server.phase_since, jitter())
