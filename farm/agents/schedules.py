"""An agent's schedule as rules for the pure decision, and the agent as it sees it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from farm.agents.models import (
    Agent,
    AgentPhase,
    LastUse,
    Message,
    OperationKind,
    OperationState,
    Schedule,
)
from provisioning.schedules import WEEK, Hours, Rules, Seen, State

WISHES = (
    OperationKind.CREATE,
    OperationKind.RESTORE,
    OperationKind.STOP,
    OperationKind.WAKE,
    OperationKind.RESTART,
    OperationKind.RESIZE,
    OperationKind.MOVE,
    OperationKind.REBUILD,
)
"""Wishes after which an agent stays as it is until its next boundary; the schedule's own too."""
TURNS = (Message.State.QUEUED, Message.State.SENT)


def rules_of(schedule: Schedule) -> Rules:
    """What its people set."""
    week = tuple(hours_in(text) for text in (schedule.hours or "," * (WEEK - 1)).split(","))
    quiet = frozenset(date.fromisoformat(word) for word in schedule.quiet_days.split())
    idle = timedelta(hours=schedule.idle_hours) if schedule.idle_hours else None
    return Rules(ZoneInfo(schedule.zone), week, quiet, schedule.keep_until, idle)


def hours_in(text: str) -> Hours | None:
    """Hours as the row has them, such as "08:00-20:00"; None for ""."""
    if not text:
        return None
    begins, _, ends = text.partition("-")
    return Hours(time.fromisoformat(begins), time.fromisoformat(ends))


def seen_of(agent: Agent, schedule: Schedule) -> Seen:
    """How it is now: three short queries. A change of its schedule counts as a wish."""
    asleep = agent.wanted == Agent.Wanted.STOPPED
    at_rest = AgentPhase.STOPPED if asleep else AgentPhase.RUNNING
    wished = agent.operations.filter(kind__in=WISHES).order_by("-pk").first()
    wished_at = max(schedule.changed_at, wished.started_at if wished else agent.created_at)
    return Seen(
        state=State.ASLEEP if asleep else State.AWAKE,
        settled=agent.phase == at_rest and not _is_under_way(agent),
        busy=agent.messages.filter(state__in=TURNS).exists(),
        wished_at=wished_at,
        used_at=last_use_of(agent),
    )


def last_use_of(agent: Agent) -> datetime:
    """When it was last talked to or its console was open; when it first answered before that."""
    said = agent.messages.order_by("-at").values_list("at", flat=True)[:1]
    return max([agent.running_since or agent.created_at, *said, *_seen(agent)])


def _seen(agent: Agent) -> Iterator[datetime]:
    use = LastUse.objects.filter(agent=agent).first()
    if use:
        yield from (at for at in (use.console_at, use.talked_at) if at)


def _is_under_way(agent: Agent) -> bool:
    under_way = agent.operations.filter(state=OperationState.UNDER_WAY).exists()
    return under_way or agent.fulfilled_generation != agent.generation


def note_talk(agent: Agent, at: datetime, now: datetime) -> None:
    """Its program's word on when somebody last talked to it; the future is not believed."""
    talked_at = min(at, now)
    use, is_new = LastUse.objects.get_or_create(agent=agent, defaults={"talked_at": talked_at})
    if not is_new and (use.talked_at is None or use.talked_at < talked_at):
        LastUse.objects.filter(pk=use.pk).update(talked_at=talked_at)
