"""Copies of disks as rows: the one that an agent would wake from, and the one of a machine."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from farm.agents.machine_of import machine_of, serves_no_more
from farm.agents.models import Agent, CopyPhase, DiskCopy, Server, ServerPhase
from provisioning.steps import Kept


def kept_copy(agent: Agent) -> DiskCopy | None:
    """The newest copy that its machine can be made from."""
    return _wanted(agent).filter(phase=CopyPhase.READY).order_by("-pk").first()


def kept_of(agent: Agent) -> Kept:
    """How the copy stands that it would wake from."""
    phases = set(_wanted(agent).values_list("phase", flat=True))
    if CopyPhase.READY in phases:
        return Kept.READY
    return Kept.COMING if CopyPhase.MAKING in phases else Kept.NOTHING


def copy_of(server: Server) -> DiskCopy | None:
    """The copy of that machine's disk as it is now, being made or ready."""
    copies = server.copies.filter(wanted_gone=False, phase__in=(CopyPhase.MAKING, CopyPhase.READY))
    return copies.order_by("-pk").first()


def is_kept(agent: Agent) -> bool:
    """Whether what it slept with is there: a copy of its machine's disk, or the machine, off.

    One that is no longer trusted goes, and what it has with it.
    """
    machine = machine_of(agent)
    off = (ServerPhase.HALTING, ServerPhase.OFF, ServerPhase.WAKING)
    there = machine is not None and machine.phase in off and not serves_no_more(machine)
    return there or kept_copy(agent) is not None


def let_go(copies: QuerySet[DiskCopy], now: datetime) -> None:
    """They are of no use any more; inside the caller's transaction."""
    copies.filter(wanted_gone=False).update(wanted_gone=True, due_at=now)


def _wanted(agent: Agent) -> QuerySet[DiskCopy]:
    return agent.copies.filter(wanted_gone=False)
