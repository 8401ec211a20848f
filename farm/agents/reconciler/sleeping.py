"""How an agent falls asleep: saved, its program ended, its machine as cheap as its cloud allows."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from farm.agents.copies import kept_copy, let_go
from farm.agents.events import note
from farm.agents.models import (
    Agent,
    AgentPhase,
    BackupState,
    OperationState,
    OperationStep,
    Power,
    Server,
)
from farm.agents.pace import SAFETY_NET, deadlines
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.failing import fail
from farm.agents.reconciler.letters import write_that_it_is_lost
from farm.agents.reconciler.machines import shell_of
from farm.agents.reconciler.marks import MOVED, begin_line, end_operation, move_agent
from farm.agents.reconciler.setting_up import server_of
from farm.agents.reconciler.troubles import Nap, jitter
from farm.agents.saving import last_good, saving_of
from provisioning import runtime
from provisioning.errors import HostKeyMismatch, ProvisioningError
from provisioning.lifecycle import poll_delay
from provisioning.steps import Saving, SetUp

AT_ONCE = timedelta(0)
SOON = timedelta(seconds=1)


def begin_stop(claim: Claim[Agent]) -> Nap:
    """From here on no backup is made: its machine is on its way out."""
    agent, now = claim.row, timezone.now()
    unsaved = saving_of(agent, now) is Saving.FAILED
    with claim.recording():
        if not unsaved and agent.backups.filter(state=BackupState.MAKING).exists():
            return SOON
        move_agent(agent, AgentPhase.STOPPING, now)
        agent.step = SetUp.NOTHING
        claim.save("step", *MOVED)
        if unsaved:
            detail = agent.saving.reason_detail if agent.saving else ""
            note(agent, "stop_unsaved", at=now, detail=detail)
        begin_line(agent, OperationStep.Key.HALT, now)
    return AT_ONCE


def still(claim: Claim[Agent]) -> Nap:
    """Its turns end, its program stops, its secrets go; then its machine is switched off.

    A machine that cannot be spoken to, or a program that does not end, is halted as it is.
    """
    agent = claim.row
    waited = timezone.now() - agent.phase_since
    late = waited > deadlines().stopping
    try:
        ended = _end(server_of(agent))
    except HostKeyMismatch:
        raise
    except ProvisioningError:
        if not late:
            raise
        ended = False
    if not ended and not late:
        return poll_delay(waited, jitter())
    _record_still(claim, "program_ended" if ended else "program_cut_off")
    return SAFETY_NET


def sleep(claim: Claim[Agent]) -> Nap:
    """Its machine costs no more than it must; only the newest copy of its disk stays."""
    agent, now = claim.row, timezone.now()
    kept = kept_copy(agent)
    with claim.recording():
        move_agent(agent, AgentPhase.STOPPED, now)
        agent.step, agent.fulfilled_generation = SetUp.NOTHING, agent.generation
        claim.save("step", "fulfilled_generation", *MOVED)
        if kept:
            let_go(agent.copies.exclude(pk=kept.pk), now)
        note(agent, "asleep", at=now)
        end_operation(agent, OperationState.DONE, now)
    return None


def settle(claim: Claim[Agent]) -> Nap:
    """What was changed while it sleeps is read when it wakes."""
    with claim.recording():
        claim.row.fulfilled_generation = claim.row.generation
        claim.save("fulfilled_generation")
    return None


def fail_copy_lost(claim: Claim[Agent]) -> Nap:
    """What was kept of it is gone: its owner is told, and the way back is its last backup."""
    with claim.recording():
        claim.row.restore_from = last_good(claim.row)
        claim.save("restore_from")
    nap = fail(claim, "copy_lost" if claim.row.restore_from else "copy_lost_unsaved")
    write_that_it_is_lost(claim.row)
    return nap


def _end(server: Server) -> bool:
    with shell_of(server) as shell:
        runtime.let_end(shell)
        if not runtime.has_ended(shell):
            return False
        runtime.forget_secrets(shell)
        return True


def _record_still(claim: Claim[Agent], code: str) -> None:
    agent, now = claim.row, timezone.now()
    server = server_of(agent)
    with claim.recording():
        agent.step, agent.attempts = SetUp.STILL, 0
        agent.reason, agent.reason_detail = "", ""
        claim.save("step", "reason", "reason_detail")
        Server.objects.filter(pk=server.pk).update(wanted_power=Power.ASLEEP, due_at=now)
        note(agent, code, at=now)
