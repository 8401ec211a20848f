"""How the command line shows agents: the same values as tables for people and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils import timezone
from rich import box
from rich.console import Console
from rich.table import Table

from farm.accounts.models import User
from farm.accounts.permissions import Action
from farm.agents.machine_of import machine_of
from farm.agents.models import Agent, AgentPhase, Message
from farm.agents.selectors import (
    Progress,
    conversation_of,
    cost_of,
    events_of,
    may_with,
    open_url_of,
    progress_of,
)
from farm.agents.selectors.placements import placement_of
from farm.agents.selectors.schedules import rhythm_of
from provisioning.quoting import plain


@dataclass(frozen=True, slots=True)
class AgentRow:
    """One agent in a list. Money is net, in millionths of `currency`."""

    uid: str
    name: str
    phase: str
    plan: str
    region: str
    created_at: datetime
    so_far_micros: int
    hourly_micros: int
    currency: str
    sleeps_at: datetime | None
    wakes_at: datetime | None


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the wait: `state` is waiting, under_way, done or failed."""

    key: str
    label: str
    state: str
    elapsed_seconds: int
    usual_seconds: int


@dataclass(frozen=True, slots=True)
class WholeAgent:
    """Everything about one agent; `waiting` says why it waits or failed, and what comes next.

    `open_url` lets its bearer in, and is "" unless the agent runs and the asker may open it.
    """

    agent: AgentRow
    blueprint: str
    model: str
    language: str
    reason: str
    waiting: str
    at_most_monthly_micros: int
    steps: tuple[Step, ...]
    server: str
    ipv4: str
    place: str
    why_there: str
    open_url: str


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of an agent's history."""

    at: datetime
    code: str
    sentence: str


def agent_row(agent: Agent) -> AgentRow:
    """What a list shows of an agent."""
    now = timezone.now()
    cost, rhythm = cost_of(agent, now), rhythm_of(agent, now)
    return AgentRow(
        uid=agent.uid,
        name=agent.name,
        phase=agent.phase,
        plan=agent.plan,
        region=agent.region,
        created_at=agent.created_at,
        so_far_micros=cost.so_far_micros,
        hourly_micros=cost.hourly_micros,
        currency=cost.currency,
        sleeps_at=rhythm.sleeps.at if rhythm.sleeps else None,
        wakes_at=rhythm.wakes_at,
    )


def whole_agent(agent: Agent, actor: User) -> WholeAgent:
    """What `show` shows of an agent."""
    now = timezone.now()
    progress = progress_of(agent, now)
    server, there = machine_of(agent), placement_of(agent)
    return WholeAgent(
        agent=agent_row(agent),
        blueprint=agent.blueprint,
        model=f"{agent.model_provider}/{agent.model}",
        language=agent.language,
        reason=agent.reason,
        waiting=_waiting(progress),
        at_most_monthly_micros=cost_of(agent, now).monthly_cap_micros,
        steps=_steps(progress),
        server=str(server) if server else "",
        ipv4=(server.ipv4 or "") if server else "",
        place=f"{there.cloud}, {there.location}, {there.server_type}" if there else "",
        why_there=str(there.why) if there else "",
        open_url=_open_url(agent, actor),
    )


def _open_url(agent: Agent, actor: User) -> str:
    opens = may_with(actor, agent, Action.OPEN_CONSOLE) and agent.phase == AgentPhase.RUNNING
    return open_url_of(agent, actor) if opens else ""


def _waiting(progress: Progress) -> str:
    waiting = progress.waiting
    return f"{waiting.sentence} {waiting.next_sentence}".strip() if waiting else ""


def _steps(progress: Progress) -> tuple[Step, ...]:
    return tuple(
        Step(line.key, str(line.label), line.state, line.elapsed_seconds, line.usual_seconds)
        for line in progress.lines
    )


def events_view(agent: Agent) -> list[Happening]:
    """The history of an agent, the oldest first; details may come from outside."""
    return [
        Happening(event.at, event.code, plain(f"{event.sentence.what} {event.detail}").strip())
        for event in events_of(agent)
    ]


def first_words(agent: Agent, actor: User) -> str:
    """What the agent said first, "" before it did and to whom may not read it."""
    if not may_with(actor, agent, Action.READ_CONVERSATION):
        return ""
    spoken = (line.text for line in conversation_of(agent) if line.author == Message.Author.AGENT)
    return next(iter(spoken), "")


def rows_table(rows: Sequence[AgentRow]) -> Table:
    """The list of agents for people."""
    table = new_table("Agent", "Uid", "Phase", "Size", "Place", "Per hour", "So far", "Next")
    for row in rows:
        hourly, so_far = (
            money(row.hourly_micros, row.currency),
            money(row.so_far_micros, row.currency),
        )
        place = (row.name, row.uid, row.phase, row.plan, row.region)
        table.add_row(*place, hourly, so_far, _next(row))
    return table


def events_table(events: Sequence[Happening]) -> Table:
    """The history for people; times are UTC."""
    table = new_table("When (UTC)", "What", "Code")
    for event in events:
        table.add_row(f"{event.at:%F %T}", event.sentence, event.code)
    return table


def print_agent(shown: WholeAgent, out: Console) -> None:
    """One agent for people."""
    row = shown.agent
    table = new_table("", "", head=False)
    so_far, hourly, monthly = (
        money(micros, row.currency)
        for micros in (row.so_far_micros, row.hourly_micros, shown.at_most_monthly_micros)
    )
    facts = (
        ("Agent", f"{row.name} ({row.uid})"),
        ("Phase", row.phase),
        ("Waits", shown.waiting),
        ("Kind", f"{shown.blueprint}, {row.plan}, {row.region}, {shown.model}"),
        ("Machine", f"{shown.server} {shown.ipv4}".strip()),
        ("Stands", f"{shown.place}: {shown.why_there}" if shown.place else ""),
        ("Falls asleep", _utc(row.sleeps_at)),
        ("Wakes", _utc(row.wakes_at)),
        ("Cost", f"{so_far} so far; {hourly} per hour, at most {monthly} per month, net"),
        ("Open", shown.open_url),
    )
    for name, value in facts:
        if value:
            table.add_row(name, value)
    out.print(table)


def new_table(*columns: str, head: bool = True) -> Table:
    """A table without frames, so that it reads well in a pipe too."""
    return Table(*columns, box=box.SIMPLE_HEAD if head else None, show_header=head, pad_edge=False)


def _next(row: AgentRow) -> str:
    if row.sleeps_at:
        return f"asleep {_utc(row.sleeps_at)}"
    return f"awake {_utc(row.wakes_at)}" if row.wakes_at else ""


def _utc(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%F %H:%M} UTC" if at else ""


def money(micros: int, currency: str) -> str:
    """An amount with as many decimals as it needs to be told from nothing."""
    amount = micros / 1_000_000
    return f"{amount:.4f} {currency}" if 0 < amount < 0.1 else f"{amount:.2f} {currency}"
