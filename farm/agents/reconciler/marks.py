"""Moves of rows and the lines of the wait, written in the transaction in which they happen."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from farm.agents.events import note
from farm.agents.models import (
    Agent,
    AgentPhase,
    Operation,
    OperationKind,
    OperationState,
    OperationStep,
    Server,
    ServerPhase,
)
from farm.agents.selectors.progress import lines_of
from provisioning import phases


def move_server(server: Server, phase: ServerPhase, now: datetime, *, reason: str = "") -> None:
    """Move the row in memory and ring its agent; `phases.IllegalMove` if no road leads there.

    The caller saves `MOVED` inside `recording`.
    """
    phases.check_server_move(phases.ServerPhase(server.phase), phases.ServerPhase(phase))
    server.phase, server.phase_since = phase, now
    server.attempts, server.reason, server.reason_detail = 0, reason, ""
    ring_agent(server)


def move_agent(agent: Agent, phase: AgentPhase, now: datetime, *, reason: str = "") -> None:
    """Move the row in memory; `phases.IllegalMove` if no road leads there."""
    phases.check_agent_move(phases.AgentPhase(agent.phase), phases.AgentPhase(phase))
    agent.phase, agent.phase_since = phase, now
    agent.attempts, agent.reason, agent.reason_detail = 0, reason, ""


MISSED = "machine_missed"
"""Why a machine that comes is looked for: its cloud's list did not show it."""
MOVED = ("phase", "phase_since", "reason", "reason_detail")


def ring_agent(server: Server) -> None:
    """Have the server's agent look again, once this transaction is committed.

    Within it the agent's row would be locked after the server's, and agents lock theirs first. The
    bell is told from an earlier one by its time: it is that of the ringing, not of the step.
    """
    agents = Agent.objects.filter(servers=server)
    transaction.on_commit(lambda: agents.update(due_at=timezone.now()))


def note_server(server: Server, code: str, now: datetime, *, detail: str = "") -> None:
    """An event of the agent that a server is for; a server without one has none."""
    if server.agent:
        note(server.agent, code, at=now, server_uid=server.uid, detail=detail)


def current(agent: Agent) -> Operation | None:
    """The wish under way; a step that was begun knows of no deletion or sleep asked meanwhile."""
    under_way = agent.operations.filter(state=OperationState.UNDER_WAY)
    for kind, wanted in _WANTED_BY.items():
        if agent.wanted != wanted:
            under_way = under_way.exclude(kind=kind)
    return under_way.order_by("-pk").first()


FOR_A_MACHINE = (
    OperationKind.CREATE,
    OperationKind.RESTORE,
    OperationKind.WAKE,
    OperationKind.RESIZE,
    OperationKind.MOVE,
    OperationKind.REBUILD,
)
_WANTED_BY = {
    OperationKind.DELETE: Agent.Wanted.DELETED,
    OperationKind.STOP: Agent.Wanted.STOPPED,
    OperationKind.WAKE: Agent.Wanted.RUNNING,
}


def begin_line(agent: Agent, key: OperationStep.Key, now: datetime) -> None:
    """Start a line of the wait; those before it are done. A line begun again is open again.

    The lines after it were of a machine that failed: they are taken back.
    """
    operation = current(agent)
    if operation is None:
        return
    # A line that a wish of its kind does not have comes last, as in the order of all.
    begun = {key, *operation.steps.values_list("key", flat=True)}
    order = list(dict.fromkeys((*lines_of(operation.kind, begun), *OperationStep.Key)))
    position = order.index(key)
    operation.steps.filter(key__in=order[position + 1 :]).delete()
    operation.steps.filter(key__in=order[:position], ended_at=None).update(ended_at=now)
    operation.steps.get_or_create(key=key, defaults={"started_at": now})
    operation.steps.filter(key=key).update(ended_at=None)


def end_operation(agent: Agent, state: OperationState, now: datetime) -> None:
    """The wish is done, or failed; open lines of one that is done are done too."""
    operation = current(agent)
    if operation is None:
        return
    operation.state, operation.ended_at = state, now
    operation.save(update_fields=["state", "ended_at"])
    if state == OperationState.DONE:
        operation.steps.filter(ended_at=None).update(ended_at=now)


def began_at(agent: Agent) -> datetime:
    """When the latest wish for a running agent was uttered: failures before it do not count."""
    wishes = agent.operations.filter(kind__in=FOR_A_MACHINE).order_by("-pk")
    latest = wishes.first()
    return latest.started_at if latest else agent.created_at
