"""Money in words: a member's month, an account's month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext, ngettext

from farm.agents.models import AgentPhase
from farm.agents.selectors import AccountMonth, AgentMonth, MemberMonth
from farm.agents.selectors.asleep import asleep_rate
from farm.agents.selectors.prices import sleep_quote
from farm.billing.amounts import at_most
from farm.billing.clouds import CloudCost
from farm.billing.models import Cause, Payer
from farm.billing.selectors import at_most_monthly
from farm.billing.standing import Standing, standing_of
from farm.billing.statements import CURRENCY
from farm.web.presenters.money_reach import Notice, Reach, notices_of, reach_of
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
    """A member's first screen of money: one number, one sentence.

    `wallets` are those whose money they manage; `notices` tell of the others that pay for them.
    """

    number: str
    is_owed: bool
    lead: str
    sentence: str
    wallets: tuple[Reach, ...]
    notices: tuple[Notice, ...]
    bars: tuple[Bar, ...]
    agents: tuple[AgentLine, ...]


@dataclass(frozen=True, slots=True)
class PayerCard:
    """One payer of an account; `reach` where money is collected from it, `how` says in what way.

    `limit` is what all its agents together may cost, "" without one.
    """

    statement: StatementWords
    how: str
    limit: str
    reach: Reach | None


@dataclass(frozen=True, slots=True)
class AccountWords:
    """What an account pays: so far, as it will be, the month before, and what the clouds charge.

    `theirs` says what its people pay themselves, "" where that is nothing.
    """

    month_name: str
    so_far: str
    forecast: str
    before: str
    cloud: str
    difference: str
    causes: tuple[tuple[str, str], ...]
    theirs: str
    payers: tuple[PayerCard, ...]


def mine_words(month: MemberMonth, standings: Sequence[Standing], now: datetime) -> MineWords:
    """One number, one sentence, two bars, a line per agent.

    `standings` are of payers whose money the member manages; who has but one reads its balance.
    """
    total = month.machine + month.ai
    wallets = tuple(reach_of(one) for one in standings)
    own = wallets[0] if len(wallets) == 1 and wallets[0].in_advance else None
    payers = ", ".join(month.payers)
    name = month_name(month.month).capitalize()
    values = {"month": name, "total": euros(total), "payer": payers}
    text = gettext("%(month)s: %(total)s, paid by %(payer)s") if payers else "%(month)s: %(total)s"
    sentence = text % values
    return MineWords(
        number=own.balance if own else euros(total),
        is_owed=bool(own and own.is_owed),
        lead=own.sentence if own else sentence,
        sentence=sentence if own else "",
        wallets=wallets,
        notices=_notices(month, standings, now),
        bars=_bars(month),
        agents=tuple(_agent_line(one, now) for one in month.agents),
    )


def account_words(
    month: AccountMonth,
    standings: Sequence[Standing],
    allowed: Allowed,
    on_own_keys: int,
    now: date,
) -> AccountWords:
    """The payer's first screen; so many agents think with keys of their people's own."""
    reaches = {one.payer.uid: reach_of(one) for one in standings}
    return AccountWords(
        month_name=month_name(now),
        so_far=euros(month.so_far),
        forecast=euros(month.forecast),
        before=euros(month.before),
        cloud=euros(month.clouds.cloud),
        difference=euros(month.clouds.difference),
        causes=_causes(month.clouds),
        theirs=_theirs(on_own_keys),
        payers=tuple(
            PayerCard(
                statement_words(one, allowed),
                str(Payer.Kind(one.payer.kind).label),
                _limit(allowed, one.payer),
                reaches.get(one.payer.uid),
            )
            for one in month.payers
        ),
    )


def _limit(allowed: Allowed, payer: Payer) -> str:
    limit = allowed.limits.get((payer.uid, ""))
    return euros(limit.monthly_micros) if limit else ""


def _theirs(on_own_keys: int) -> str:
    if not on_own_keys:
        return ""
    text = ngettext(
        "the AI of %(n)s agent, on a key of its own: its provider bills for it",
        "the AI of %(n)s agents, on keys of their own: their providers bill for it",
        on_own_keys,
    )
    return text % {"n": on_own_keys}


def _notices(
    month: MemberMonth, standings: Sequence[Standing], now: datetime
) -> tuple[Notice, ...]:
    """What must be known of payers of theirs whose money others manage."""
    managed = {one.payer.pk for one in standings}
    payers = {one.payer.pk: one.payer for one in month.agents if one.payer.pk not in managed}
    collected = [payer for payer in payers.values() if payer.kind != Payer.Kind.INTERNAL]
    return tuple(notice for payer in collected for notice in notices_of(standing_of(payer, now)))


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
