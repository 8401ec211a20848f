"""How an agent gets another machine: made ready beside its own, and in its place at one stroke."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from farm.agents.events import note
from farm.agents.machine_of import machine_of, successor_of
from farm.agents.models import (
    Agent,
    AgentPhase,
    BackupKind,
    BackupState,
    MachineWish,
    OperationStep,
    Power,
    Server,
    ServerPhase,
    Watch,
)
from farm.agents.pace import SAFETY_NET
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.machines import shell_of
from farm.agents.reconciler.marks import MOVED, begin_line, move_agent
from farm.agents.reconciler.placing import place_for
from farm.agents.reconciler.setting_up import server_of
from farm.agents.reconciler.troubles import Nap, jitter
from farm.agents.saving import ask_backup
from provisioning import runtime
from provisioning.lifecycle import poll_delay
from provisioning.steps import SetUp

AT_ONCE = timedelta(0)
SOON = timedelta(seconds=1)


def place_successor(claim: Claim[Agent]) -> Nap:
    """Ask for the other machine; its own serves until that is ready."""
    agent = claim.row
    nap = place_for(claim, machine_of(agent))
    with claim.recording():
        agent.refresh_from_db(fields=["machine_wish"])
        if not agent.machine_wish:
            # It was taken back meanwhile: it waits for nothing any more.
            agent.reason = agent.reason_detail = ""
            claim.save("reason", "reason_detail")
    return nap


def begin_switch(claim: Claim[Agent]) -> Nap:
    """From here on it does not answer, for about a minute."""
    agent, now = claim.row, timezone.now()
    with claim.recording():
        agent.refresh_from_db(fields=["machine_wish", "restore_from"])
        if agent.machine_wish != MachineWish.REPLACE:
            return AT_ONCE
        if agent.backups.filter(state=BackupState.MAKING).exists():
            return SOON
        move_agent(agent, AgentPhase.MOVING, now)
        agent.step, agent.saving = SetUp.NOTHING, None
        claim.save("step", "saving", *MOVED)
        note(agent, "switching", at=now)
        if agent.restore_from is None:
            begin_line(agent, OperationStep.Key.SAVE, now)
    return AT_ONCE


def silence(claim: Claim[Agent]) -> Nap:
    """Its program ends its turns and stops, at the next boot too; nobody starts it meanwhile."""
    agent, now = claim.row, timezone.now()
    if Watch.objects.filter(agent=agent, lease_until__gt=now).exists():
        return SOON
    with shell_of(server_of(agent)) as shell:
        runtime.let_end(shell)
        if not runtime.has_ended(shell):
            return poll_delay(now - agent.phase_since, jitter())
    agent.step, agent.attempts = SetUp.STILL, 0
    agent.reason, agent.reason_detail = "", ""
    with claim.recording():
        claim.save("step", "reason", "reason_detail")
        note(agent, "gateway_ended", at=now)
    return AT_ONCE


def save(claim: Claim[Agent]) -> Nap:
    """All that it has, now that nothing changes any more."""
    with claim.recording():
        claim.row.saving = ask_backup(claim.row, BackupKind.MOVE, timezone.now())
        claim.save("saving")
    return SAFETY_NET


def pull_the_plug(claim: Claim[Agent]) -> Nap:
    """A machine that cannot be spoken to is halted by its cloud: it must not speak beside another.

    Its disk stays as it is until the other one has answered.
    """
    now = timezone.now()
    with claim.recording():
        row = Server.objects.filter(pk=server_of(claim.row).pk)
        row.update(wanted_power=Power.OFF, due_at=now)
        note(claim.row, "plug_pulled", at=now)
    return SAFETY_NET


def take_over(claim: Claim[Agent]) -> Nap:
    """From here on the other machine counts: it gets what was saved, and then the agent's name."""
    agent, now, successor = claim.row, timezone.now(), successor_of(claim.row)
    with claim.recording():
        ready = Server.objects.filter(phase=ServerPhase.READY, wanted_gone=False, took_over_at=None)
        if successor is None or not ready.filter(pk=successor.pk).update(took_over_at=now):
            return AT_ONCE
        agent.restore_from = agent.restore_from or agent.saving
        move_agent(agent, AgentPhase.RESTORING, now)
        agent.step = SetUp.NOTHING
        claim.save("step", "restore_from", *MOVED)
        note(agent, "took_over", at=now, server_uid=successor.uid)
        begin_line(agent, OperationStep.Key.BRING, now)
    return AT_ONCE
