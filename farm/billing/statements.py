"""What a payer pays for whom in a month: by person and cost centre, agent by agent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypedDict

from django.db.models import Count, Max, Q, QuerySet, Sum

from farm.billing.ai_rows import AiDay
from farm.billing.ai_spend import AiLine, ai_lines
from farm.billing.models import Kind, Payer, UsageLine
from farm.billing.rule import next_month

CURRENCY = "EUR"
"""In what the clouds of this farm charge, and what the prices of models are counted in."""


@dataclass(frozen=True, slots=True)
class AgentCost:
    """One agent's part, in micro-units; `hours` are machine hours that began, for this payer.

    `fee` is the farm's own on machines, which are without it.
    """

    uid: str
    name: str
    hours: int = 0
    machine: int = 0
    ai: int = 0
    calls: int = 0
    unseen: int = 0
    fee: int = 0

    @property
    def total(self) -> int:
        """Machine, AI and fee."""
        return self.machine + self.ai + self.fee


@dataclass(frozen=True, slots=True)
class PersonCost:
    """One person's part under one cost centre."""

    email: str
    cost_centre: str
    agents: tuple[AgentCost, ...]

    @property
    def machine(self) -> int:
        """All machines."""
        return sum(agent.machine for agent in self.agents)

    @property
    def ai(self) -> int:
        """All AI through the relay."""
        return sum(agent.ai for agent in self.agents)

    @property
    def fee(self) -> int:
        """The farm's own on all machines."""
        return sum(agent.fee for agent in self.agents)

    @property
    def total(self) -> int:
        """All of it."""
        return self.machine + self.ai + self.fee


@dataclass(frozen=True, slots=True)
class Statement:
    """One payer's month in one currency, net, in exact micro-units; `month` is its first day."""

    payer: Payer
    month: date
    currency: str
    people: tuple[PersonCost, ...]

    @property
    def machine(self) -> int:
        """All machines."""
        return sum(person.machine for person in self.people)

    @property
    def ai(self) -> int:
        """All AI through the relay; `unseen` of it at its worst case."""
        return sum(person.ai for person in self.people)

    @property
    def fee(self) -> int:
        """The farm's own on all machines."""
        return sum(person.fee for person in self.people)

    @property
    def total(self) -> int:
        """All of it."""
        return self.machine + self.ai + self.fee

    @property
    def unseen(self) -> int:
        """What calls cut off before their usage was known may have cost at most."""
        return sum(agent.unseen for person in self.people for agent in person.agents)


@dataclass(slots=True)
class _Sums:
    """What adds up to an AgentCost."""

    name: str = ""
    hours: int = 0
    machine: int = 0
    ai: int = 0
    calls: int = 0
    unseen: int = 0
    fee: int = 0


def statement(payer: Payer, month: date, more: Iterable[UsageLine] = ()) -> Statement:
    """The payer's month (named by its first day); `more` are lines that are not yet written."""
    sums: defaultdict[tuple[str, str, str], _Sums] = defaultdict(_Sums)
    for row in _grouped(payer, month):
        key = (row["person_email"], row["cost_centre"], row["agent_uid"])
        _add(sums[key], row["name"], row["charged"], row["fee"] or 0, row["hours"])
    for line in more:
        if line.payer_id == payer.pk and line.month == month:
            key = (line.person_email, line.cost_centre, line.agent_uid)
            fee = line.micros if line.kind == Kind.FEE else 0
            _add(sums[key], line.agent_name, line.micros, fee, int(line.kind == Kind.SERVER))
    for ai in ai_lines([payer.uid], month):
        _add_ai(sums[ai.person_email, ai.cost_centre, ai.agent_uid], ai)
    return Statement(payer, month, CURRENCY, tuple(_people(sums)))


def months_of(payer: Payer) -> Sequence[date]:
    """The months in which this payer has lines, the newest first."""
    machine = payer.lines.order_by().values_list("month", flat=True).distinct()
    ai = AiDay.objects.filter(payer_uid=payer.uid).dates("day", "month")
    return sorted({*machine, *ai}, reverse=True)


def lines_of(payer: Payer, month: date) -> QuerySet[UsageLine]:
    """Every line of the payer's month, hour by hour."""
    lines = payer.lines.filter(month=month)
    return lines.order_by("person_email", "agent_name", "agent_uid", "began_at", "kind")


def ai_days(payer: Payer, month: date) -> QuerySet[AiDay]:
    """Every day of AI of the payer's month, by person and agent."""
    days = AiDay.objects.filter(payer_uid=payer.uid, day__gte=month, day__lt=next_month(month))
    return days.order_by("person_email", "agent_name", "agent_uid", "day", "model")


def month_before(month: date) -> date:
    """The first day of the month before."""
    return (month - timedelta(days=1)).replace(day=1)


class _Group(TypedDict):
    person_email: str
    cost_centre: str
    agent_uid: str
    name: str
    charged: int
    fee: int | None
    hours: int


def _grouped(payer: Payer, month: date) -> Iterable[_Group]:
    grouped: Iterable[_Group] = (
        payer.lines.filter(month=month)
        .order_by()
        .values("person_email", "cost_centre", "agent_uid")
        .annotate(
            name=Max("agent_name"),
            charged=Sum("micros"),
            fee=Sum("micros", filter=Q(kind=Kind.FEE)),
            hours=Count("pk", filter=Q(kind=Kind.SERVER)),
        )
    )
    return grouped


def _add(sums: _Sums, name: str, micros: int, fee: int, hours: int) -> None:
    sums.name = name
    sums.machine += micros - fee
    sums.fee += fee
    sums.hours += hours


def _add_ai(sums: _Sums, ai: AiLine) -> None:
    sums.name = sums.name or ai.agent_name
    sums.ai += ai.micros
    sums.calls += ai.calls
    sums.unseen += ai.unseen_micros


def _people(sums: Mapping[tuple[str, str, str], _Sums]) -> Iterator[PersonCost]:
    by_person: defaultdict[tuple[str, str], list[AgentCost]] = defaultdict(list)
    for (email, centre, uid), found in sums.items():
        cost = AgentCost(
            uid=uid,
            name=found.name,
            hours=found.hours,
            machine=found.machine,
            ai=found.ai,
            calls=found.calls,
            unseen=found.unseen,
            fee=found.fee,
        )
        by_person[email, centre].append(cost)
    for (email, centre), agents in sorted(by_person.items()):
        ordered = sorted(agents, key=lambda agent: (agent.name.lower(), agent.uid))
        yield PersonCost(email, centre, tuple(ordered))
