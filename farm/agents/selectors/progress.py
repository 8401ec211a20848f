"""How far a wish has come: the lines of the wait, and why it waits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from statistics import median

from django.utils.functional import Promise

from farm.agents.clouds import OFF_IS_FREE
from farm.agents.machine_of import machine_of
from farm.agents.models import (
    Agent,
    AgentPhase,
    CopyPhase,
    Operation,
    OperationKind,
    OperationState,
    OperationStep,
    ServerPhase,
)
from farm.agents.sentences import WHY_GIVEN_UP, sentence_for
from farm.agents.stays import is_served

Key = OperationStep.Key
AWAKE = (Key.PERSONALITY, Key.WAKE, Key.ANSWER)
NEW_MACHINE = (Key.RESERVE, Key.INSTALL, Key.BRING, Key.PERSONALITY, Key.WAKE, Key.ANSWER)
SAME_MACHINE = (Key.SAVE, Key.BRING, Key.PERSONALITY, Key.WAKE, Key.ANSWER)
LINES: Mapping[str, tuple[Key, ...]] = {
    OperationKind.CREATE: NEW_MACHINE,
    OperationKind.RESTORE: NEW_MACHINE,
    OperationKind.RECONFIGURE: (Key.PERSONALITY, Key.WAKE),
    OperationKind.RESTART: (Key.PERSONALITY, Key.WAKE),
    OperationKind.STOP: (Key.SAVE, Key.HALT, Key.KEEP, Key.REMOVE),
    OperationKind.WAKE: (Key.RESERVE, Key.SWITCH_ON, Key.INSTALL, Key.BRING, *AWAKE),
    OperationKind.RESIZE: (Key.HALT, Key.RESIZE, Key.SWITCH_ON, *AWAKE),
    OperationKind.MOVE: (Key.RESERVE, Key.INSTALL, Key.SAVE, Key.BRING, *AWAKE),
    OperationKind.REBUILD: (Key.RESERVE, Key.INSTALL, Key.SAVE, Key.BRING, *AWAKE),
    OperationKind.DELETE: (Key.SAVE, Key.REMOVE),
}
# Seconds, as measured before this farm has a history of its own.
USUAL: Mapping[Key, int] = {
    Key.SAVE: 30,
    Key.HALT: 20,
    Key.KEEP: 60,
    Key.RESIZE: 30,
    Key.RESERVE: 20,
    Key.SWITCH_ON: 30,
    Key.INSTALL: 120,
    Key.BRING: 20,
    Key.PERSONALITY: 10,
    Key.WAKE: 45,
    Key.ANSWER: 15,
    Key.REMOVE: 20,
}
SAMPLES = 15
TO_ANOTHER = (OperationKind.MOVE, OperationKind.REBUILD)
OF_MACHINES = (OperationKind.RESIZE, *TO_ANOTHER)
AT_A_CLOUD = (
    AgentPhase.PLACING,
    AgentPhase.STOPPING,
    AgentPhase.WAKING,
    AgentPhase.DELETING,
)
"""Phases in which an agent waits for what is its cloud's."""


class LineState(StrEnum):
    """How one line stands."""

    WAITING = "waiting"
    UNDER_WAY = "under_way"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ProgressLine:
    """One line of the wait, in people's words; seconds are whole."""

    key: Key
    label: str | Promise
    state: LineState
    elapsed_seconds: int
    usual_seconds: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why it waits or failed, and what happens next; `detail` is for whoever wants to know more."""

    code: str
    sentence: str | Promise
    next_sentence: str | Promise
    detail: str


@dataclass(frozen=True, slots=True)
class Progress:
    """The latest wish; `kind` and `state` are an OperationKind and an OperationState."""

    kind: str
    state: str
    started_at: datetime
    elapsed_seconds: int
    usual_seconds: int
    lines: tuple[ProgressLine, ...]
    waiting: Waiting | None


def progress_of(agent: Agent, now: datetime) -> Progress:
    """How the agent's latest wish stands."""
    operations = agent.operations.order_by("-pk")
    operation = operations.filter(state=OperationState.UNDER_WAY).first() or operations[0]
    lines = _lines(operation, now)
    return Progress(
        kind=operation.kind,
        state=operation.state,
        started_at=operation.started_at,
        elapsed_seconds=_seconds(operation.started_at, operation.ended_at or now),
        usual_seconds=sum(line.usual_seconds for line in lines),
        lines=lines,
        waiting=_waiting(agent, operation),
    )


def _lines(operation: Operation, now: datetime) -> tuple[ProgressLine, ...]:
    steps = {step.key: step for step in operation.steps.all()}
    usual = _usual()
    return tuple(
        ProgressLine(
            key=key,
            label=key.label,
            state=_state(operation, steps.get(key)),
            elapsed_seconds=_elapsed(operation, steps.get(key), now),
            usual_seconds=usual[key],
        )
        for key in _keys(operation, steps)
    )


def lines_of(kind: str, begun: Collection[str]) -> Sequence[Key]:
    """The lines of a wish of that kind, of which those were begun; a resize may need a move."""
    moves = kind == OperationKind.RESIZE and Key.RESERVE in begun
    return LINES[OperationKind.MOVE if moves else kind]


def _keys(operation: Operation, steps: Mapping[str, OperationStep]) -> tuple[Key, ...]:
    """Its lines: only what is saved or brought back is said to be."""
    saves = Key.SAVE in steps
    if operation.kind == OperationKind.RESTORE and saves:
        return SAME_MACHINE
    brings = operation.kind == OperationKind.RESTORE or Key.BRING in steps
    brings = brings or operation.agent.restore_from is not None
    there = {Key.SAVE: saves, Key.BRING: brings, **_of_sleep(operation, steps)}
    if operation.kind in TO_ANOTHER and operation.agent.restore_from is None:
        there |= {Key.SAVE: saves or not brings, Key.BRING: True}
    lines = lines_of(operation.kind, steps)
    return tuple(key for key in lines if there.get(key, True))


def _of_sleep(operation: Operation, steps: Mapping[str, OperationStep]) -> Mapping[Key, bool]:
    """Only where off costs money is a machine copied and removed; few are installed to wake."""
    if operation.kind == OperationKind.WAKE:
        return {Key.INSTALL: Key.INSTALL in steps}
    if operation.kind != OperationKind.STOP:
        return {}
    machine = machine_of(operation.agent)
    copied = machine is not None and machine.provider not in OFF_IS_FREE
    return {key: copied or key in steps for key in (Key.KEEP, Key.REMOVE)}


def _state(operation: Operation, step: OperationStep | None) -> LineState:
    if step is None:
        return LineState.WAITING
    if step.ended_at:
        return LineState.DONE
    failed = operation.state == OperationState.FAILED
    return LineState.FAILED if failed else LineState.UNDER_WAY


def _elapsed(operation: Operation, step: OperationStep | None, now: datetime) -> int:
    if step is None:
        return 0
    return _seconds(step.started_at, step.ended_at or operation.ended_at or now)


def _usual() -> Mapping[Key, int]:
    """The median of what this farm saw lately, once it saw a step three times."""
    return {key: _median(_lately(key)) or seconds for key, seconds in USUAL.items()}


def _lately(key: Key) -> Sequence[int]:
    steps = OperationStep.objects.filter(
        key=key, ended_at__isnull=False, operation__state=OperationState.DONE
    )
    return [
        _seconds(began, ended)
        for began, ended in steps.order_by("-pk").values_list("started_at", "ended_at")[:SAMPLES]
        if ended
    ]


def _median(seconds: Sequence[int]) -> int:
    return max(1, round(median(seconds))) if len(seconds) >= 3 else 0


def _waiting(agent: Agent, operation: Operation) -> Waiting | None:
    code, detail = agent.reason, agent.reason_detail
    if not code and (agent.phase in AT_A_CLOUD or operation.kind in OF_MACHINES):
        code, detail = _reason_at_cloud(agent)
    if operation.kind in OF_MACHINES and operation.state == OperationState.FAILED:
        code, detail = _why_given_up(operation) or (code, detail)
    if not code:
        return None
    words = sentence_for(code, serves=is_served(agent.servers.all()))
    return Waiting(code, words.what, words.next, detail)


def _why_given_up(operation: Operation) -> tuple[str, str] | None:
    """What was noted at the moment at which the change of its machine failed."""
    ended = operation.ended_at or operation.started_at
    said = operation.agent.events.filter(at=ended, code__in=WHY_GIVEN_UP).first()
    return (said.code, said.detail) if said and not operation.agent.reason else None


def _reason_at_cloud(agent: Agent) -> tuple[str, str]:
    """Why its newest machine waits, or the newest copy of a disk."""
    server = agent.servers.exclude(phase=ServerPhase.GONE).order_by("-pk").first()
    copy = agent.copies.exclude(phase=CopyPhase.GONE).order_by("-pk").first()
    waiting = [row for row in (server, copy) if row and row.reason]
    return (waiting[0].reason, waiting[0].reason_detail) if waiting else ("", "")


def _seconds(began: datetime, ended: datetime) -> int:
    return max(0, int((ended - began).total_seconds()))
