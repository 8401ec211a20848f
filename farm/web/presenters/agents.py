"""One agent in words: on a card of the list, and at the top of its page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext

from farm.accounts.models import User
from farm.agents import selectors
from farm.agents.models import Agent, AgentPhase, OperationKind, OperationState
from farm.agents.selectors import Progress
from farm.billing.amounts import amount, at_most, per_hour
from farm.catalog import catalog
from farm.web.presenters.ai import CURRENCY, ai_sentence
from farm.web.presenters.offers import spoken
from farm.web.words import duration


class PageState(StrEnum):
    """Which of its pages an agent shows at its one address."""

    WAIT = "wait"
    HOME = "home"
    CHANGING = "changing"
    ASLEEP = "asleep"
    FAILED = "failed"
    LEAVING = "leaving"
    GONE = "gone"


CHANGES = (
    OperationKind.STOP,
    OperationKind.WAKE,
    OperationKind.RESIZE,
    OperationKind.MOVE,
    OperationKind.REBUILD,
)
AT_HOME = (PageState.HOME, PageState.CHANGING, PageState.ASLEEP)
TONES: Mapping[str, str] = {
    AgentPhase.PLACING: "busy",
    AgentPhase.RESTORING: "busy",
    AgentPhase.CONFIGURING: "busy",
    AgentPhase.RUNNING: "good",
    AgentPhase.STOPPING: "busy",
    AgentPhase.STOPPED: "",
    AgentPhase.WAKING: "busy",
    AgentPhase.RESIZING: "busy",
    AgentPhase.MOVING: "busy",
    AgentPhase.DELETING: "busy",
    AgentPhase.DELETED: "",
    AgentPhase.FAILED: "bad",
}


@dataclass(frozen=True, slots=True)
class AgentCard:
    """One line of the list; `owner` is named when it is somebody else."""

    uid: str
    name: str
    initial: str
    phase: str
    tone: str
    so_far: str
    owner: str
    is_gone: bool


@dataclass(frozen=True, slots=True)
class CostWords:
    """What it costs, in words, and who pays; `note` says why nothing is counted."""

    so_far: str
    hourly: str
    most: str
    note: str
    payer: str
    ai: str


@dataclass(frozen=True, slots=True)
class Portrait:
    """What stays the same on every page of one agent."""

    uid: str
    name: str
    initial: str
    phase: str
    tone: str
    role: str
    may: str
    place: str
    size: str
    model: str
    owner: str


def page_state(agent: Agent, progress: Progress) -> PageState:
    """Deleting wins over everything; a first machine is waited for; a change is made at home.

    A machine that changes, sleeps or wakes shows its lines there.
    """
    if agent.phase == AgentPhase.DELETED and agent.wanted == Agent.Wanted.DELETED:
        return PageState.GONE
    if agent.wanted == Agent.Wanted.DELETED:
        return PageState.LEAVING
    if agent.phase == AgentPhase.FAILED:
        return PageState.FAILED
    if agent.phase == AgentPhase.STOPPED and agent.wanted == Agent.Wanted.STOPPED:
        return PageState.ASLEEP
    if progress.kind in CHANGES and progress.state == OperationState.UNDER_WAY:
        return PageState.CHANGING
    makes = progress.kind in (OperationKind.CREATE, OperationKind.RESTORE)
    return PageState.WAIT if makes and agent.phase != AgentPhase.RUNNING else PageState.HOME


def agent_card(agent: Agent, spent_micros: int, reader: User) -> AgentCard:
    """One line of the list, with what it cost so far."""
    leaving = agent.wanted == Agent.Wanted.DELETED and agent.phase != AgentPhase.DELETED
    phase = AgentPhase.DELETING if leaving else AgentPhase(agent.phase)
    return AgentCard(
        uid=agent.uid,
        name=agent.name,
        initial=_initial(agent),
        phase=str(phase.label),
        tone=TONES[phase],
        so_far=amount(spent_micros, agent.agreed_currency),
        owner="" if agent.owner_id == reader.pk else agent.owner.called,
        is_gone=agent.phase == AgentPhase.DELETED,
    )


def portrait(agent: Agent, reader: User) -> Portrait:
    """What stays the same on every page of it."""
    blueprint = catalog().blueprints.get(agent.blueprint)
    return Portrait(
        uid=agent.uid,
        name=agent.name,
        initial=_initial(agent),
        phase=str(AgentPhase(agent.phase).label),
        tone=TONES[agent.phase],
        role=spoken(blueprint.name),
        may=spoken(blueprint.may),
        place=spoken(selectors.place_of(agent)),
        size=spoken(catalog().plans.get(agent.plan).name),
        model=agent.model,
        owner="" if agent.owner_id == reader.pk else agent.owner.called,
    )


def cost_words(agent: Agent, reader: User, now: datetime) -> CostWords:
    """So far, per hour, at most; and who pays for machine and AI."""
    cost = selectors.cost_of(agent, now)
    return CostWords(
        so_far=amount(cost.so_far_micros, cost.currency),
        hourly=per_hour(cost.hourly_micros, cost.currency),
        most=at_most(cost.monthly_cap_micros, cost.currency),
        note=str(cost.free_reason or ""),
        payer=cost.payer,
        ai=ai_sentence(agent, reader),
    )


def month_sentence(agent: Agent, now: datetime) -> str:
    """What this month cost so far: its machine, and its AI where the farm sees it."""
    month = selectors.agent_month(agent, now)
    text = gettext("this month: %(machine)s for its machine")
    if month.ai_payer:
        text = gettext("this month: %(machine)s for its machine, %(ai)s for AI")
    return text % {"machine": amount(month.machine, CURRENCY), "ai": amount(month.ai, CURRENCY)}


def ready_sentence(agent: Agent) -> str:
    """How long its making took, once it is made."""
    seconds = selectors.ready_in_seconds(agent)
    return gettext("Ready in %(time)s") % {"time": duration(seconds)} if seconds else ""


def lived(agent: Agent, now: datetime) -> str:
    """From its first word, or its wish, to its end."""
    end = agent.deleted_at or now
    return duration((end - (agent.running_since or agent.created_at)).total_seconds())


def _initial(agent: Agent) -> str:
    return agent.name[:1].upper()
