"""Agents that sleep, wake and change their machine, made as rows: no cloud is asked."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from farm.agents.events import note
from farm.agents.models import (
    Agent,
    AgentPhase,
    CopyPhase,
    DiskCopy,
    Offer,
    Operation,
    OperationKind,
    OperationState,
    OperationStep,
    Placing,
    PlacingReason,
    Schedule,
    ServerPhase,
)
from farm.billing.prices import Rate, pin_copy_price

TERABYTE = Rate(16_000, 11_000_000, "EUR")
Key = OperationStep.Key


def copy_prices() -> None:
    """What the cloud asks for a copy of a disk, and how large each disk is."""
    Offer.objects.update(
        disk_gb=40,
        copy_terabyte_hourly_micros=TERABYTE.hourly_micros,
        copy_terabyte_monthly_micros=TERABYTE.monthly_micros,
    )


def asleep(row: Agent) -> Agent:
    """It fell asleep three hours ago: its machine is gone and its disk's copy is kept."""
    now = timezone.now()
    since, server = now - timedelta(hours=3), row.servers.get()
    server.phase, server.gone_at, server.let_go_at = ServerPhase.GONE, since, since
    server.ended_at, server.wanted_gone = since, True
    server.save()
    copy = DiskCopy.objects.create(
        server=server,
        agent=row,
        provider=server.provider,
        location=server.location,
        asked_at=since,
        phase=CopyPhase.READY,
        phase_since=since,
        image="4711",
        gigabytes=11.5,
        disk_gb=40,
        created_at=since,
    )
    pin_copy_price(copy_uid=copy.uid, at=since, gigabytes=11.5, terabyte=TERABYTE)
    _wish(row, OperationKind.STOP, OperationState.DONE)
    row.wanted, row.fulfilled_generation = Agent.Wanted.STOPPED, row.generation
    move(row, AgentPhase.STOPPED)
    Agent.objects.filter(pk=row.pk).update(phase_since=since)
    row.refresh_from_db()
    note(row, "stop_asked", at=since)
    return row


def waking(row: Agent) -> Agent:
    """A machine is being made from its copy."""
    operation = _wish(asleep(row), OperationKind.WAKE, OperationState.UNDER_WAY)
    now = timezone.now()
    OperationStep.objects.create(operation=operation, key=Key.RESERVE, started_at=now)
    row.wanted = Agent.Wanted.RUNNING
    return move(row, AgentPhase.WAKING)


def changing(row: Agent, kind: OperationKind, phase: AgentPhase, reason: str = "") -> Agent:
    """Such a wish is under way."""
    _wish(row, kind, OperationState.UNDER_WAY)
    row.reason = reason
    return move(row, phase)


def came_to_nothing(row: Agent, kind: OperationKind, reason: str) -> Agent:
    """It runs as before: the last change of its machine failed."""
    _wish(row, kind, OperationState.FAILED)
    row.reason, row.fulfilled_generation = reason, row.generation
    return move(row, AgentPhase.RUNNING)


def placed(row: Agent) -> Agent:
    """Its machine was the second choice: the first was sold out."""
    Placing.objects.create(
        server=row.servers.get(),
        plan=row.plan,
        region=row.region,
        why=PlacingReason.NEXT,
        passed=f"hetzner cx23 fsn1 {PlacingReason.SOLD_OUT}",
    )
    return row


def with_hours(row: Agent, hours: str = "08:00-20:00", **more: object) -> Schedule:
    """It has working hours on weekdays in Paris."""
    week = ",".join([hours] * 5 + ["", ""])
    found: Schedule = Schedule.objects.create(
        agent=row,
        zone="Europe/Paris",
        hours=week,
        changed_at=timezone.now() - timedelta(days=30),
        due_at=timezone.now(),
        **more,
    )
    return found


def move(row: Agent, phase: AgentPhase) -> Agent:
    """It is in that phase from now on."""
    row.phase, row.phase_since = phase, timezone.now()
    row.save()
    return row


def _wish(row: Agent, kind: OperationKind, state: OperationState) -> Operation:
    now = timezone.now()
    ended = None if state == OperationState.UNDER_WAY else now
    row.generation += 1
    return Operation.objects.create(
        agent=row,
        kind=kind,
        generation=row.generation,
        state=state,
        started_at=now,
        ended_at=ended,
    )
