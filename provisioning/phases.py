"""Where servers and agents may be, and which moves lead from one place to another."""

from __future__ import annotations

from enum import StrEnum


class ServerPhase(StrEnum):
    """Where a server is on its way."""

    REQUESTED = "requested"
    CREATING = "creating"
    BOOTING = "booting"
    READY = "ready"
    HALTING = "halting"
    OFF = "off"
    WAKING = "waking"
    DELETING = "deleting"
    GONE = "gone"
    LOST = "lost"


class AgentPhase(StrEnum):
    """Where an agent is on its way."""

    PLACING = "placing"
    RESTORING = "restoring"
    CONFIGURING = "configuring"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    WAKING = "waking"
    RESIZING = "resizing"
    MOVING = "moving"
    DELETING = "deleting"
    DELETED = "deleted"
    FAILED = "failed"


_S, _A = ServerPhase, AgentPhase

SERVER_MOVES = frozenset(
    {
        (_S.REQUESTED, _S.CREATING),
        (_S.REQUESTED, _S.DELETING),
        (_S.REQUESTED, _S.GONE),
        (_S.CREATING, _S.BOOTING),
        (_S.CREATING, _S.DELETING),
        (_S.CREATING, _S.LOST),
        (_S.BOOTING, _S.READY),
        (_S.BOOTING, _S.DELETING),
        (_S.BOOTING, _S.LOST),
        (_S.READY, _S.DELETING),
        (_S.READY, _S.LOST),
        (_S.READY, _S.HALTING),
        (_S.HALTING, _S.OFF),
        (_S.HALTING, _S.WAKING),
        (_S.HALTING, _S.DELETING),
        # Somebody deleted it at the cloud, and its disk was copied.
        (_S.HALTING, _S.GONE),
        (_S.HALTING, _S.LOST),
        (_S.OFF, _S.WAKING),
        (_S.OFF, _S.HALTING),
        (_S.OFF, _S.DELETING),
        (_S.OFF, _S.LOST),
        (_S.WAKING, _S.READY),
        (_S.WAKING, _S.HALTING),
        (_S.WAKING, _S.DELETING),
        (_S.WAKING, _S.LOST),
        (_S.DELETING, _S.GONE),
        # It was thought gone, and the cloud shows it again: whatever it is, it costs.
        (_S.GONE, _S.DELETING),
        (_S.LOST, _S.DELETING),
        # It was out of sight only, say for the token of another project, and holds a member's work.
        (_S.LOST, _S.READY),
    }
)
AGENT_MOVES = frozenset(
    {
        (_A.PLACING, _A.RESTORING),
        (_A.PLACING, _A.CONFIGURING),
        (_A.PLACING, _A.MOVING),
        (_A.PLACING, _A.FAILED),
        (_A.PLACING, _A.STOPPING),
        (_A.PLACING, _A.DELETING),
        (_A.RESTORING, _A.CONFIGURING),
        (_A.RESTORING, _A.PLACING),
        (_A.RESTORING, _A.STOPPING),
        # The machine that took over is no good: back to the one before.
        (_A.RESTORING, _A.MOVING),
        (_A.RESTORING, _A.FAILED),
        (_A.RESTORING, _A.DELETING),
        (_A.CONFIGURING, _A.RUNNING),
        (_A.CONFIGURING, _A.PLACING),
        (_A.CONFIGURING, _A.MOVING),
        (_A.CONFIGURING, _A.FAILED),
        (_A.CONFIGURING, _A.DELETING),
        (_A.CONFIGURING, _A.STOPPING),
        (_A.CONFIGURING, _A.WAKING),
        (_A.RUNNING, _A.RESTORING),
        (_A.RUNNING, _A.CONFIGURING),
        (_A.RUNNING, _A.FAILED),
        (_A.RUNNING, _A.DELETING),
        (_A.RUNNING, _A.STOPPING),
        (_A.STOPPING, _A.STOPPED),
        (_A.STOPPING, _A.WAKING),
        (_A.STOPPING, _A.FAILED),
        (_A.STOPPING, _A.DELETING),
        (_A.STOPPED, _A.WAKING),
        (_A.STOPPED, _A.FAILED),
        (_A.STOPPED, _A.DELETING),
        (_A.WAKING, _A.CONFIGURING),
        (_A.WAKING, _A.PLACING),
        (_A.WAKING, _A.STOPPING),
        (_A.WAKING, _A.FAILED),
        (_A.WAKING, _A.DELETING),
        (_A.RUNNING, _A.RESIZING),
        (_A.RESIZING, _A.CONFIGURING),
        (_A.RESIZING, _A.FAILED),
        (_A.RESIZING, _A.DELETING),
        (_A.RUNNING, _A.MOVING),
        (_A.MOVING, _A.RESTORING),
        (_A.MOVING, _A.CONFIGURING),
        (_A.MOVING, _A.FAILED),
        (_A.MOVING, _A.DELETING),
        (_A.FAILED, _A.PLACING),
        (_A.FAILED, _A.WAKING),
        (_A.FAILED, _A.DELETING),
        (_A.DELETING, _A.DELETED),
        # Its account wants it back, from its last backup.
        (_A.DELETED, _A.PLACING),
    }
)


class IllegalMove(Exception):  # noqa: N818
    """A mistake of ours: no road leads from one of these phases to the other."""


def check_server_move(old: ServerPhase, new: ServerPhase) -> None:
    """IllegalMove unless `new` may follow `old`."""
    if (old, new) not in SERVER_MOVES:
        raise IllegalMove(f"A server cannot go from {old} to {new}.")


def check_agent_move(old: AgentPhase, new: AgentPhase) -> None:
    """IllegalMove unless `new` may follow `old`."""
    if (old, new) not in AGENT_MOVES:
        raise IllegalMove(f"An agent cannot go from {old} to {new}.")
