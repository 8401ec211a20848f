"""How far a payer's money reaches, in words: one sentence each for its number and its state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from farm.agents.models import Agent
from farm.billing.customer_rows import Stage
from farm.billing.models import Payer
from farm.billing.standing import Standing, holds_of
from farm.web.presenters.statements import euros

A_MONTH, A_YEAR = 30, 365
LOW = (Stage.WEEK, Stage.DAYS, Stage.DAY)


class Tone(StrEnum):
    """How loudly something is said."""

    CALM = ""
    WAITS = "waits"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to know about a payer's money, and to do about it."""

    tone: Tone
    sentence: str


@dataclass(frozen=True, slots=True)
class Reach:
    """One payer: its number, its sentence, and what must be known; `uid` leads to its page.

    `balance` is what it has `in_advance`, or what it has used and not yet paid.
    """

    uid: str
    payer: str
    balance: str
    sentence: str
    in_advance: bool
    is_owed: bool
    notices: tuple[Notice, ...]


def reach_of(standing: Standing) -> Reach:
    """For who manages its money."""
    left, in_advance = standing.balance.left, standing.payer.kind == Payer.Kind.WALLET
    return Reach(
        uid=standing.payer.uid,
        payer=standing.payer.name,
        balance=euros(left if in_advance else -left),
        sentence=_sentence(standing),
        in_advance=in_advance,
        is_owed=in_advance and left < 0,
        notices=notices_of(standing),
    )


def notices_of(standing: Standing) -> tuple[Notice, ...]:
    """What state its money is in, without an amount: whoever has an agent of its may read it."""
    found = []
    if standing.is_frozen:
        found.append(Notice(Tone.BAD, _frozen(standing)))
    stage = standing.stage
    if stage in LOW:
        found.append(Notice(Tone.WAITS, _low(standing)))
    if stage in (Stage.DRY, Stage.LAST, Stage.OVER):
        found.append(Notice(Tone.BAD, _out(standing, stage)))
    return tuple(found)


def lasting(days: int | None) -> str:
    """How long money lasts: about 4 months."""
    if days is None:
        return gettext("nothing uses it up now")
    if days < 0:
        return gettext("used up to what is set aside")
    if days >= 2 * A_YEAR:
        return _about(
            ngettext("about %(n)s year", "about %(n)s years", days // A_YEAR), days // A_YEAR
        )
    if days >= 2 * A_MONTH:
        months = days // A_MONTH
        return _about(ngettext("about %(n)s month", "about %(n)s months", months), months)
    return _about(ngettext("about %(n)s day", "about %(n)s days", days), days)


def agents_of_payer(payer: Payer) -> Mapping[str, Agent]:
    """Agents for which something of a wallet is set aside, by uid; in two queries."""
    uids = [held.agent_uid for held in holds_of(payer)]
    return {agent.uid: agent for agent in Agent.objects.filter(uid__in=uids)}


def _about(text: str, number: int) -> str:
    return text % {"n": number}


def _sentence(standing: Standing) -> str:
    """Balance 15.88 EUR, about 4 months."""
    left = standing.balance.left
    if standing.payer.kind == Payer.Kind.INVOICE:
        text = gettext("Billed by the month: %(sum)s used and not yet paid")
        return text % {"sum": euros(-left)}
    values = {"sum": euros(abs(left)), "time": lasting(standing.days_left)}
    if left < 0:
        text = gettext("%(sum)s are owed: pay them in. Until then nothing new can be made.")
        return text % values
    return gettext("Balance %(sum)s, %(time)s") % values


def _low(standing: Standing) -> str:
    days, names = max(0, standing.days_left or 0), _names(standing)
    left = ngettext("%(n)s day is left.", "%(n)s days are left.", days) % {"n": days}
    text = ngettext(
        "Then %(agents)s falls asleep; its data stays for 30 days.",
        "Then %(agents)s fall asleep; their data stays for 30 days.",
        len(names),
    )
    return f"{left} {text % {'agents': _listed(names)}}" if names else left


def _out(standing: Standing, stage: Stage) -> str:
    if stage == Stage.OVER:
        return gettext("The money was out for 30 days, so its agents were deleted.")
    names = _names(standing)
    unpaid = standing.payer.kind == Payer.Kind.INVOICE
    why = gettext("A bill is overdue.") if unpaid else gettext("The money is used up.")
    text = ngettext(
        "%(agents)s sleeps until it is paid; its data is kept until %(until)s, then deleted.",
        "%(agents)s sleep until it is paid; their data is kept until %(until)s, then deleted.",
        len(names),
    )
    values = {"agents": _listed(names), "until": _day(standing.kept_until)}
    return f"{why} {text % values}" if names else why


def _names(standing: Standing) -> Sequence[str]:
    return sorted(agent.name for agent in agents_of_payer(standing.payer).values())


def _listed(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return gettext("%(names)s and %(last)s") % {"names": ", ".join(names[:-1]), "last": names[-1]}


def _frozen(standing: Standing) -> str:
    at = standing.customer.frozen_at if standing.customer else None
    text = gettext(
        "Frozen since %(day)s, because a payment is in question at its bank. Its agents sleep and"
        " lose nothing; nothing new can be made. Ask who runs this farm."
    )
    return text % {"day": _day(at)}


def _day(at: datetime | None) -> str:
    return date_format(at.astimezone(UTC), "j F Y") if at else ""
