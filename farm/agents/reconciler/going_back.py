"""How a change of an agent's machine comes to nothing: all is put back, and its member is told."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from farm.agents.changing import is_fulfilled, keep_change, put_back
from farm.agents.events import note
from farm.agents.machine_of import machine_of, on_trial
from farm.agents.models import Agent, AgentPhase, Change, OperationState, Power, Server, ServerPhase
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.machines import shell_of
from farm.agents.reconciler.marks import MOVED, current, move_agent
from farm.agents.reconciler.troubles import Nap
from provisioning import runtime
from provisioning.errors import ProvisioningError
from provisioning.steps import SetUp

AT_ONCE = timedelta(0)
WISH = ("restore_from", "saving", "reason", "reason_detail")


def give_up(claim: Claim[Agent], code: str, detail: str = "") -> Nap:
    """The change has failed; whatever was made ready for it goes. The agent is where it was."""
    with claim.recording():
        end_change(claim, code, detail)
    return AT_ONCE


def give_up_trial(claim: Claim[Agent], code: str, detail: str = "") -> Nap:
    """The machine that took over is no good: it is silenced, or goes, before the other speaks."""
    agent, server = claim.row, on_trial(claim.row)
    silent = agent.phase == AgentPhase.RESTORING or (server is not None and _silenced(server))
    with claim.recording():
        end_change(claim, code, detail)
        agent.step = SetUp.STILL if silent else agent.step
        claim.save("step")
    return AT_ONCE


def give_back(claim: Claim[Agent]) -> Nap:
    """From here on the machine that was there before counts again."""
    agent, now, server = claim.row, timezone.now(), on_trial(claim.row)
    with claim.recording():
        if server:
            Server.objects.filter(pk=server.pk).update(took_over_at=None)
        move_agent(agent, AgentPhase.MOVING, now)
        agent.step = SetUp.NOTHING
        claim.save("step", *MOVED)
    return AT_ONCE


def go_back(claim: Claim[Agent]) -> Nap:
    """Its own machine is on: it is woken there, with what it had."""
    agent, now = claim.row, timezone.now()
    with claim.recording():
        move_agent(agent, AgentPhase.CONFIGURING, now)
        agent.step = SetUp.NOTHING
        claim.save("step", *MOVED)
        note(agent, "went_back", at=now)
    return AT_ONCE


def conclude(agent: Agent, now: datetime) -> bool:
    """It answers: the machine that was there before is let go, if a change is fulfilled so.

    In the transaction of whoever saw it answer. False while a change is still to come.
    """
    change = Change.objects.filter(agent=agent).select_related("operation").first()
    if change is None:
        return True
    if not is_fulfilled(agent, change):
        return False
    server = machine_of(agent)
    former = server.takes_over_from if server and server.took_over_at else None
    if former:
        let_go(Server.objects.filter(pk=former.pk, let_go_at=None), now)
    keep_change(agent)
    return True


def waits_for_change(agent: Agent) -> bool:
    """Whether the wish under way is a change that is still to come, and none that came after it."""
    wish = current(agent)
    return wish is not None and Change.objects.filter(operation=wish).exists()


def end_change(claim: Claim[Agent], code: str, detail: str = "") -> None:
    """In the transaction of whoever gives it up; content where there is no change."""
    agent, now = claim.row, timezone.now()
    change = Change.objects.filter(agent=agent).select_related("operation").first()
    if change is None:
        return
    operation = change.operation
    operation.state, operation.ended_at = OperationState.FAILED, now
    operation.save(update_fields=["state", "ended_at"])
    put_back(agent)
    drop_successors(agent, now)
    agent.restore_from = agent.saving = None
    agent.reason = agent.reason_detail = ""
    claim.save(*WISH)
    note(agent, code, at=now, detail=detail)


def settle_change(claim: Claim[Agent], code: str, detail: str) -> None:
    """Its agent fails: a change that is done stays, one that is not has failed with it."""
    change = Change.objects.filter(agent=claim.row).select_related("operation").first()
    if change and is_fulfilled(claim.row, change):
        keep_change(claim.row)
    elif change:
        end_change(claim, code, detail)


def drop_successors(agent: Agent, now: datetime) -> None:
    """Machines that never answered in another one's place are to go."""
    ended = (ServerPhase.DELETING, ServerPhase.GONE, ServerPhase.LOST)
    made = Server.objects.filter(agent=agent, takes_over_from__isnull=False, serving_since=None)
    made.exclude(phase__in=ended).update(wanted_gone=True, let_go_at=now, due_at=now)


def switch_on(agent: Agent, now: datetime) -> None:
    """The machine that counts is wanted on, as it is."""
    if server := machine_of(agent):
        row = Server.objects.filter(pk=server.pk).exclude(wanted_power=Power.ON, wanted_type="")
        row.update(wanted_power=Power.ON, wanted_type="", due_at=now)


def let_go(servers: QuerySet[Server], now: datetime) -> None:
    """They are to go, and cost their payer nothing more."""
    servers.update(wanted_gone=True, let_go_at=now, due_at=now)


def _silenced(server: Server) -> bool:
    """Whether its program surely has ended, and stays so."""
    try:
        with shell_of(server) as shell:
            runtime.stop(shell)
    except ProvisioningError:
        return False
    return True
