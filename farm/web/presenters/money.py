"""Money in words: a member's month, an account's month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext

from farm.agents.models import AgentPhase
from farm.agents.selectors import AccountMonth, AgentMonth, MemberMonth
from farm.agents.selectors.asleep import asleep_rate
from farm.agents.selectors.prices import sleep_quote
from farm.billing.amounts import at_most
from farm.billing.clouds import CloudCost
from farm.billing.models import Cause
from farm.billing.selectors import at_most_monthly
from farm.billing.statements import CURRENCY
from farm.web.presenters.statements import (
    Allowed,
    StatementWords,
    euros,
    month_name,
    statement_words,
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of two; `share` is of the larger one, 0 to 100."""

    label: str
    amount: str
    share: int
    note: str


@dataclass(frozen=True, slots=True)
class AgentLine:
    """One agent of a list, with what its sleep or its deletion saves ("" once it is gone)."""

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


def mine_words(month: MemberMonth, now: datetime) -> MineWords:
    """One number, one sentence, two bars, a line per agent."""
    total = month.machine + month.ai
    payers = ", ".join(month.payers)
    name = month_name(month.month).capitalize()
    values = {"month": name, "total": euros(total), "payer": payers}
    text = gettext("%(month)s: %(total)s, paid by %(payer)s") if payers else "%(month)s: %(total)s"
    return MineWords(
        sentence=text % values,
        total=euros(total),
        bars=_bars(month),
        agents=tuple(_agent_line(one, now) for one in month.agents),
    )


def account_words(month: AccountMonth, allowed: Allowed, now: date) -> AccountWords:
    """The payer's first screen."""
    return AccountWords(
        month_name=month_name(now),
        so_far=euros(month.so_far),
        forecast=euros(month.forecast),
        before=euros(month.before),
        cloud=euros(month.clouds.cloud),
        difference=euros(month.clouds.difference),
        causes=_causes(month.clouds),
        payers=tuple(statement_words(one, allowed) for one in month.payers),
    )


def _agent_line(one: AgentMonth, now: datetime) -> AgentLine:
    return AgentLine(
        uid=one.agent.uid,
        name=one.agent.name,
        amount=euros(one.machine + one.ai),
        payer=_who_pays(one),
        saves=_saves(one, now) if one.saves else "",
    )


def _saves(one: AgentMonth, now: datetime) -> str:
    """What is saved by its deletion, and before that by its sleep: in a month, at most."""
    if asleep := asleep_rate(one.agent):
        text = gettext("asleep; deleting it saves up to %(saves)s a month")
        return text % {"saves": at_most(at_most_monthly(asleep), CURRENCY)}
    deleting = {"saves": at_most(one.saves, CURRENCY)}
    text = gettext("deleting it saves up to %(saves)s a month")
    awake = one.agent.phase == AgentPhase.RUNNING
    quote = sleep_quote(one.agent, now) if awake else None
    slept = at_most_monthly(quote.awake) - at_most_monthly(quote.asleep) if quote else 0
    if slept <= 0:
        return text % deleting
    sleeping = gettext("sleeping saves up to %(slept)s a month")
    words = {"slept": euros(slept)}
    return f"{sleeping % words}, {text % deleting}"


def _who_pays(one: AgentMonth) -> str:
    if one.ai_payer in ("", one.payer.name):
        return gettext("paid by %(payer)s") % {"payer": one.payer.name}
    text = gettext("%(payer)s pays for its machine, %(lender)s for its AI")
    return text % {"payer": one.payer.name, "lender": one.ai_payer}


def _bars(month: MemberMonth) -> tuple[Bar, ...]:
    machine, ai = month.machine, month.ai
    most = max(machine, ai, 1)
    exact = gettext("exact, by the started hour")
    return (
        Bar(gettext("Machine"), euros(machine), machine * 100 // most, exact),
        Bar(gettext("AI"), euros(ai), ai * 100 // most, _whose_key(month)),
    )


def _whose_key(month: MemberMonth) -> str:
    """An estimate on somebody's key; what runs on a key of one's own is billed elsewhere."""
    said = []
    if lenders := dict.fromkeys(one.ai_payer for one in month.agents if one.ai_payer):
        said.append(
            gettext("an estimate, by a shared key that %(payer)s pays for")
            % {"payer": ", ".join(lenders)}
        )
    if any(not one.ai_payer for one in month.agents):
        said.append(gettext("what runs on your own key, its provider bills you for"))
    return "; ".join(said)


def _causes(clouds: CloudCost) -> tuple[tuple[str, str], ...]:
    return tuple(
        (str(Cause(cause).label), euros(micros)) for cause, micros in clouds.borne.items() if micros
    )
