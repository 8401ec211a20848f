"""One payer's statement in words: people, their agents, and what each may cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.conf import settings
from django.utils.formats import date_format

from farm.billing.amounts import cents, in_cents
from farm.billing.models import Limit
from farm.billing.papers import notes_of
from farm.billing.statements import CURRENCY, AgentCost, PersonCost, Statement


@dataclass(frozen=True, slots=True)
class AiBudget:
    """What an agent may spend on AI a month, and one step more: as read, and as a form sends it."""

    now: str
    step: str
    raised: Decimal


@dataclass(frozen=True, slots=True)
class Allowed:
    """What an account lets its people and agents cost.

    `limits` are by payer's uid and person's address, "" for all together, `budgets` of AI by
    agent's uid.
    """

    limits: Mapping[tuple[str, str], Limit] = field(default_factory=dict)
    budgets: Mapping[str, int] = field(default_factory=dict)


NOTHING_SHOWN = Allowed()


@dataclass(frozen=True, slots=True)
class AgentRow:
    """One agent of a statement; without `ai_budget` it has none, or it is gone."""

    uid: str
    name: str
    hours: int
    machine: str
    ai: str
    total: str
    ai_budget: AiBudget | None


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person of a statement; `limit` is what their agents may cost, "" without one."""

    email: str
    cost_centre: str
    machine: str
    ai: str
    total: str
    limit: str
    agents: tuple[AgentRow, ...]


@dataclass(frozen=True, slots=True)
class StatementWords:
    """One payer's month; `month` names it in addresses, such as 2026-11."""

    payer: str
    payer_uid: str
    month: str
    month_name: str
    machine: str
    ai: str
    total: str
    people: tuple[PersonRow, ...]
    notes: Sequence[str]


def statement_words(statement: Statement, allowed: Allowed = NOTHING_SHOWN) -> StatementWords:
    """The numbers of one payer's month; what is allowed is shown where it can be changed."""
    return StatementWords(
        payer=statement.payer.name,
        payer_uid=statement.payer.uid,
        month=f"{statement.month:%Y-%m}",
        month_name=month_name(statement.month),
        machine=euros(statement.machine),
        ai=euros(statement.ai),
        total=euros(statement.total),
        people=tuple(_person(statement, person, allowed) for person in statement.people),
        notes=notes_of(statement),
    )


def _person(statement: Statement, person: PersonCost, allowed: Allowed) -> PersonRow:
    limit = allowed.limits.get((statement.payer.uid, person.email))
    return PersonRow(
        email=person.email,
        cost_centre=person.cost_centre,
        machine=euros(person.machine),
        ai=euros(person.ai),
        total=euros(person.total),
        limit=euros(limit.monthly_micros) if limit else "",
        agents=tuple(_agent_row(agent, allowed) for agent in person.agents),
    )


def _agent_row(agent: AgentCost, allowed: Allowed) -> AgentRow:
    budget = allowed.budgets.get(agent.uid)
    return AgentRow(
        uid=agent.uid,
        name=agent.name,
        hours=agent.hours,
        machine=euros(agent.machine),
        ai=euros(agent.ai),
        total=euros(agent.total),
        ai_budget=None if budget is None else _ai_budget(budget),
    )


def _ai_budget(micros: int) -> AiBudget:
    step = settings.AI_BUDGET_STEP_EUR * 1_000_000
    return AiBudget(now=euros(micros), step=euros(step), raised=in_cents(micros + step))


def month_name(month: date) -> str:
    """November 2026."""
    return date_format(month, "F Y")


def euros(micros: int) -> str:
    """An amount in cents, in the currency that statements are in."""
    return cents(micros, CURRENCY)
