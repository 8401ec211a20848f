"""How an agent is deleted: its machines go first, and gone is what the cloud shows."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from farm.agents.copies import let_go
from farm.agents.events import note
from farm.agents.models import (
    Agent,
    AgentPhase,
    OperationState,
    OperationStep,
    Server,
    ServerPhase,
    SlackLink,
    TelegramLink,
    WhatsAppLink,
)
from farm.agents.reconciler.backups import keep_the_last
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.marks import MOVED, begin_line, end_operation, move_agent
from farm.agents.reconciler.troubles import Nap, wait_with_reason
from farm.agents.reconciler.whatsapps import part_from
from farm.billing.holds import let_go as let_go_of_money
from farm.billing.payers import release

AT_ONCE = timedelta(0)
UNSAVED = "final_backup_failed"


def hold(claim: Claim[Agent]) -> Nap:
    """What it has could not be saved: its member decides, and is told so once."""
    saving = claim.row.saving
    wait_with_reason(claim, UNSAVED, AT_ONCE, saving.reason_detail if saving else "")
    return None


def leave(claim: Claim[Agent]) -> Nap:
    """Every machine it has is to go, and no phone shall list it any longer."""
    agent = claim.row
    part_from(agent)
    now = timezone.now()
    with claim.recording():
        move_agent(agent, AgentPhase.DELETING, now)
        agent.step = ""
        claim.save("step", *MOVED)
        begin_line(agent, OperationStep.Key.REMOVE, now)
        ended = (ServerPhase.GONE, ServerPhase.LOST)
        machines = Server.objects.filter(agent=agent).exclude(phase__in=ended)
        machines.filter(let_go_at=None).update(let_go_at=now)
        machines.update(wanted_gone=True, due_at=now)
        let_go(agent.copies.all(), now)
    return AT_ONCE


def finish(claim: Claim[Agent]) -> Nap:
    """No cloud shows a machine of it any more: forget its secrets, and say that it is gone."""
    agent, now = claim.row, timezone.now()
    with claim.recording():
        move_agent(agent, AgentPhase.DELETED, now)
        agent.deleted_at, agent.fulfilled_generation = now, agent.generation
        agent.model_key, agent.gateway_token = "", ""
        claim.save("deleted_at", "fulfilled_generation", "model_key", "gateway_token", *MOVED)
        for sort in (TelegramLink, SlackLink, WhatsAppLink):
            sort.objects.filter(agent=agent).delete()
        release(agent_uid=agent.uid, at=now)
        let_go_of_money(agent.uid, now)
        keep_the_last(agent, now)
        note(agent, "deleted", at=now)
        end_operation(agent, OperationState.DONE, now)
    return None
