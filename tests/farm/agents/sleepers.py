"""Agents on their way to sleep and back, as rows: no cloud is asked."""

from __future__ import annotations

from django.utils import timezone

from farm.agents.models import Agent, AgentPhase, CopyPhase, DiskCopy, Power, Server, ServerPhase


def moved(agent: Agent, phase: AgentPhase) -> Agent:
    """It is in that phase now."""
    rows = Agent.objects.filter(pk=agent.pk)
    rows.update(phase=phase, phase_since=timezone.now(), due_at=timezone.now(), reason="")
    agent.refresh_from_db()
    return agent


def stopping(agent: Agent) -> Agent:
    """Its program has ended, and its machine is being switched off."""
    agent.servers.update(phase=ServerPhase.HALTING, wanted_power=Power.ASLEEP)
    return moved(agent, AgentPhase.STOPPING)


def asleep(agent: Agent, *, disk_gb: int = 40) -> DiskCopy:
    """Its machine is gone, and the copy of its disk is kept."""
    now, server = timezone.now(), agent.servers.latest("pk")
    Server.objects.filter(pk=server.pk).update(
        phase=ServerPhase.GONE, wanted_gone=True, let_go_at=now, gone_at=now
    )
    moved(agent, AgentPhase.STOPPED)
    Agent.objects.filter(pk=agent.pk).update(fulfilled_generation=agent.generation)
    agent.refresh_from_db()
    return DiskCopy.objects.create(
        server=server,
        agent=agent,
        provider=server.provider,
        asked_at=now,
        phase=CopyPhase.READY,
        phase_since=now,
        cloud_id="4711",
        image="4711",
        gigabytes=11.5,
        disk_gb=disk_gb,
        created_at=now,
    )


def waking(agent: Agent) -> Agent:
    """It is wanted again, and has no machine yet."""
    return moved(agent, AgentPhase.WAKING)
