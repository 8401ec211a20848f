"""Money in words: a member's month, an account's month, one payer's statement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from farm.agents.selectors import AccountMonth, AgentMonth, MemberMonth
from farm.billing.ai_rows import AiDay
from farm.billing.amounts import at_most, cents, to_the_micro
from farm.billing.clouds import CloudCost
from farm.billing.models import Cause, Kind, Limit, UsageLine
from farm.billing.papers import notes_of
from farm.billing.statements import CURRENCY, AgentCost, PersonCost, Statement


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of two; `share` is of the larger one, 0 to 100."""

    label: str
    amount: str
    share: int
    note: str


@dataclass(frozen=True, slots=True)
class AgentLine:
    """One agent of a list, with what its deletion saves ("" once it is gone)."""

    uid: str
    name: str
    amount: str
    payer: str
    saves: str


@dataclass(frozen=True, slots=True)
class MineWords:
    """A member's first screen of money."""

    sentence: str
    total: str
    bars: tuple[Bar, ...]
    agents: tuple[AgentLine, ...]


@dataclass(frozen=True, slots=True)
class AgentRow:
    """One agent of a statement."""

    uid: str
    name: str
    hours: int
    machine: str
    ai: str
    total: str


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person of a statement; `budget` is what their machines may cost, "" without a limit."""

    email: str
    cost_centre: str
    machine: str
    ai: str
    total: str
    budget: str
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


@dataclass(frozen=True, slots=True)
class AccountWords:
    """What an account pays: so far, as it will be, the month before, and what the clouds charge."""

    month_name: str
    so_far: str
    forecast: str
    before: str
    cloud: str
    difference: str
    causes: tuple[tuple[str, str], ...]
    payers: tuple[StatementWords, ...]


def mine_words(month: MemberMonth) -> MineWords:
    """One number, one sentence, two bars, a line per agent."""
    total = month.machine + month.ai
    payers = ", ".join(payer.name for payer in month.payers)
    values = {"month": _month_name(month.month), "total": _cents(total), "payer": payers}
    text = gettext("%(month)s: %(total)s, paid by %(payer)s") if payers else "%(month)s: %(total)s"
    return MineWords(
        sentence=text % values,
        total=_cents(total),
        bars=_bars(month.machine, month.ai),
        agents=tuple(_agent_line(one) for one in month.agents),
    )


def account_words(
    month: AccountMonth, budgets: Mapping[tuple[str, str], Limit], now: date
) -> AccountWords:
    """The payer's first screen; `budgets` are limits by payer's uid and person's address."""
    return AccountWords(
        month_name=_month_name(now),
        so_far=_cents(month.so_far),
        forecast=_cents(month.forecast),
        before=_cents(month.before),
        cloud=_cents(month.clouds.cloud),
        difference=_cents(month.clouds.difference),
        causes=_causes(month.clouds),
        payers=tuple(statement_words(one, budgets) for one in month.payers),
    )


def statement_words(
    statement: Statement, budgets: Mapping[tuple[str, str], Limit] | None = None
) -> StatementWords:
    """The numbers of one payer's month."""
    return StatementWords(
        payer=statement.payer.name,
        payer_uid=statement.payer.uid,
        month=f"{statement.month:%Y-%m}",
        month_name=_month_name(statement.month),
        machine=_cents(statement.machine),
        ai=_cents(statement.ai),
        total=_cents(statement.total),
        people=tuple(_person(statement, person, budgets or {}) for person in statement.people),
        notes=notes_of(statement),
    )


@dataclass(frozen=True, slots=True)
class HourRow:
    """One line of a statement, exact to the millionth; `note` says why it is not the full price."""

    at: str
    what: str
    amount: str
    note: str


def hour_rows(lines: Iterable[UsageLine], days: Iterable[AiDay]) -> tuple[HourRow, ...]:
    """Machine hours, then days of AI."""
    return (*map(_hour_row, lines), *map(_day_row, days))


def _hour_row(line: UsageLine) -> HourRow:
    note = str(Cause(line.cause).label) if line.cause else ""
    capped = gettext("its monthly price is reached") if line.capped else note
    at = f"{line.began_at:%Y-%m-%d %H:%M}"
    return HourRow(at, str(Kind(line.kind).label), to_the_micro(line.micros, line.currency), capped)


def _day_row(day: AiDay) -> HourRow:
    text = ngettext("AI: %(model)s, %(n)s call", "AI: %(model)s, %(n)s calls", day.calls)
    what = text % {"model": day.model, "n": day.calls}
    return HourRow(f"{day.day:%Y-%m-%d}", what, to_the_micro(day.cost_micros, CURRENCY), "")


def _agent_line(one: AgentMonth) -> AgentLine:
    saves = gettext("deleting it saves up to %(saves)s a month")
    return AgentLine(
        uid=one.agent.uid,
        name=one.agent.name,
        amount=_cents(one.machine + one.ai),
        payer=one.payer.name,
        saves=saves % {"saves": at_most(one.saves, CURRENCY)} if one.saves else "",
    )


def _bars(machine: int, ai: int) -> tuple[Bar, ...]:
    most = max(machine, ai, 1)
    exact = gettext("exact, by the started hour")
    estimate = gettext("an estimate; with a key of your own, its provider's bill counts")
    return (
        Bar(gettext("Machine"), _cents(machine), machine * 100 // most, exact),
        Bar(gettext("AI"), _cents(ai), ai * 100 // most, estimate),
    )


def _person(
    statement: Statement, person: PersonCost, budgets: Mapping[tuple[str, str], Limit]
) -> PersonRow:
    limit = budgets.get((statement.payer.uid, person.email))
    return PersonRow(
        email=person.email,
        cost_centre=person.cost_centre,
        machine=_cents(person.machine),
        ai=_cents(person.ai),
        total=_cents(person.total),
        budget=_cents(limit.monthly_micros) if limit else "",
        agents=tuple(_agent_row(agent) for agent in person.agents),
    )


def _agent_row(agent: AgentCost) -> AgentRow:
    return AgentRow(
        uid=agent.uid,
        name=agent.name,
        hours=agent.hours,
        machine=_cents(agent.machine),
        ai=_cents(agent.ai),
        total=_cents(agent.total),
    )


def _causes(clouds: CloudCost) -> tuple[tuple[str, str], ...]:
    return tuple(
        (str(Cause(cause).label), _cents(micros))
        for cause, micros in clouds.borne.items()
        if micros
    )


def _month_name(month: date) -> str:
    return date_format(month, "F Y").capitalize()


def _cents(micros: int) -> str:
    return cents(micros, CURRENCY)
