"""The operator's morning in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.formats import date_format
from django.utils.translation import get_language, gettext, ngettext

from farm.agents.selectors.morning import (
    Agreement,
    Clouds,
    Fleet,
    Kept,
    Money,
    Morning,
    NightLine,
    PoolView,
    Rescues,
    Spent,
    Todo,
)
from farm.billing.amounts import cents, per_hour
from farm.catalog import catalog


@dataclass(frozen=True, slots=True)
class NightWords:
    """One line of what happened."""

    at: datetime
    what: str
    whom: str


@dataclass(frozen=True, slots=True)
class SpentWords:
    """One span of time: the sum, and its two parts."""

    label: str
    total: str
    machines: str
    ai: str


@dataclass(frozen=True, slots=True)
class MoneyWords:
    """What the farm costs, in words."""

    spans: Sequence[SpentWords]
    charged_on: str
    difference: str


@dataclass(frozen=True, slots=True)
class MorningWords:
    """What the page shows, in its order; `fine` is one grey line."""

    todos: Sequence[Todo]
    fine: str
    fleet: Fleet
    money: MoneyWords
    agreement: str
    clouds: Clouds
    in_use: str
    ready: Sequence[str]
    kept: Kept
    rescues: Rescues
    night: Sequence[NightWords]


def morning_words(told: Morning) -> MorningWords:
    """The page's words."""
    return MorningWords(
        todos=told.todos,
        fine="" if told.todos else gettext("Nothing is to be done."),
        fleet=told.fleet,
        money=_money(told.money),
        agreement=_agreement(told.agreement),
        clouds=told.clouds,
        in_use=", ".join(
            f"{name.capitalize()} {number}" for name, number in told.clouds.in_use.items()
        ),
        ready=[_ready(pool) for pool in told.pools],
        kept=told.kept,
        rescues=told.rescues,
        night=[_line(line) for line in told.night],
    )


def _money(money: Money) -> MoneyWords:
    return MoneyWords(
        spans=[
            _spent(gettext("Yesterday"), money.yesterday),
            _spent(gettext("This month"), money.month),
            _spent(gettext("By its end"), money.forecast),
        ],
        charged_on=_sum(money.charged_on),
        difference=_sum(money.difference),
    )


def _agreement(found: Agreement) -> str:
    if found.read_to is None:
        return gettext("The books and the clouds have not been compared yet.")
    text = gettext("The books and the clouds are {amount} apart, compared to {day}.")
    day = date_format(found.read_to, "DATE_FORMAT")
    return text.format(amount=_sum(found.apart_micros), day=day)


def _spent(label: str, spent: Spent) -> SpentWords:
    return SpentWords(label, _sum(spent.total), _sum(spent.machines), _sum(spent.ai))


def _sum(micros: int) -> str:
    return cents(micros, catalog().currency)


def _line(line: NightLine) -> NightWords:
    others = line.agents - 1
    more = ngettext("%(name)s and %(number)d other", "%(name)s and %(number)d others", others)
    whom = more % {"name": line.name, "number": others} if others else line.name
    return NightWords(at=line.last_at, what=str(line.sentence.what), whom=whom)


def _ready(pool: PoolView) -> str:
    """Its number and its cost, which is the farm's own until an agent claims a machine."""
    plan, region = catalog().plans.get(pool.plan), catalog().regions.get(pool.region)
    text = gettext("{ready} of {wanted} {plan}, {region}: {hour} an hour now, {month} a month")
    language = get_language() or "en"
    return text.format(
        ready=pool.ready,
        wanted=pool.wanted,
        plan=plan.name.in_language(language),
        region=region.name.in_language(language),
        hour=per_hour(pool.hourly_micros, pool.currency),
        month=cents(pool.monthly_micros, pool.currency),
    )
