"""An agent's machine in words: where it lives and why, what sleep saves, what a change costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy, ngettext

from farm.accounts.models import User
from farm.agents.clouds import regions
from farm.agents.models import Agent, AgentPhase, OperationKind, OperationState
from farm.agents.price_news import price_news
from farm.agents.selectors import Progress
from farm.agents.selectors.changes import is_to_be_had, offer_of_change, returns_from
from farm.agents.selectors.outlook import Wallet, outlook_of_change, wallet_of_agent
from farm.agents.selectors.placements import placement_of
from farm.agents.selectors.prices import (
    SleepQuote,
    WakeQuote,
    sleep_quote,
    wake_quote,
)
from farm.billing.amounts import amount, at_most, per_hour
from farm.billing.prices import Rate
from farm.billing.selectors import at_most_monthly
from farm.catalog import catalog
from farm.web.presenters.agents import CHANGES
from farm.web.presenters.money_outlook import OutlookWords, outlook_words
from farm.web.presenters.offers import OfferWords, offer_words, spoken
from farm.web.words import lifetime

NIGHT, WEEKEND = 12, 60
"""Hours that people let an agent sleep."""
NIGHTS = 30
"""Of a month."""


@dataclass(frozen=True, slots=True)
class PlaceWords:
    """Where its machine stands; `why` there, and what was passed over, each with its reason."""

    place: str
    spot: str
    why: str
    passed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SleepWords:
    """What stands on the button that puts it to sleep: both prices and the true saving."""

    awake: str
    asleep: str
    saving: str
    note: str


@dataclass(frozen=True, slots=True)
class WakeWords:
    """What stands on the button that wakes it; `seen` tells which price was read, in micro-units.

    With `dearer` nothing is to be had at the agreed price: the button agrees to another one.
    """

    hourly: str
    most: str
    asleep: str
    dearer: bool
    seen: str


@dataclass(frozen=True, slots=True)
class PriceWords:
    """What its machine costs now, or from `since` on, and the month's most that was agreed to."""

    hourly: str
    most: str
    agreed: str
    since: datetime | None
    seen: str


@dataclass(frozen=True, slots=True)
class AsleepWords:
    """Since when it sleeps, and what that costs, "" while it is not known."""

    since: datetime
    time: str
    hourly: str
    most: str


@dataclass(frozen=True, slots=True)
class ChangeCard:
    """One size or place that could be chosen; `is_own` is what it has, `is_free` to be had now."""

    key: str
    name: str
    is_own: bool
    is_free: bool
    offer: OfferWords | None
    outlook: OutlookWords | None


def place_words(agent: Agent) -> PlaceWords | None:
    """Where it lives and why there; None while it has no machine."""
    there = placement_of(agent)
    if there is None:
        return None
    return PlaceWords(
        place=spoken(there.place),
        spot=f"{there.cloud}, {there.location}, {there.server_type}",
        why=str(there.why),
        passed=tuple(
            f"{one.server_type} ({one.cloud}, {one.location}): {one.why}" for one in there.passed
        ),
    )


def price_words(agent: Agent, now: datetime) -> PriceWords | None:
    """For an agent that is awake; None while its machine costs no more than was agreed."""
    news = price_news(agent, now) if agent.phase == AgentPhase.RUNNING else None
    if news is None:
        return None
    return PriceWords(
        hourly=_hourly(news.rate),
        most=_most(news.rate),
        agreed=_most(news.agreed),
        since=news.since,
        seen=str(news.rate.hourly_micros),
    )


def sleep_words(agent: Agent, now: datetime) -> SleepWords | None:
    """For an agent that runs; None while a price is not known."""
    quote = sleep_quote(agent, now) if agent.phase == AgentPhase.RUNNING else None
    if quote is None:
        return None
    return SleepWords(
        awake=_most(quote.awake),
        asleep=_most(quote.asleep),
        saving=_saving(quote),
        note=_note(quote),
    )


def wake_words(agent: Agent) -> WakeWords | None:
    """For an agent that sleeps; None while the price of waking is not known."""
    quote = wake_quote(agent)
    if quote is None or quote.awake is None:
        return None
    return _wake(quote, quote.awake)


def asleep_words(agent: Agent, asleep: Rate | None, now: datetime) -> AsleepWords:
    """For an agent that sleeps."""
    return AsleepWords(
        since=agent.phase_since,
        time=lifetime(now - agent.phase_since),
        hourly=_hourly(asleep) if asleep else "",
        most=_most(asleep) if asleep else "",
    )


def size_cards(agent: Agent, reader: User) -> tuple[ChangeCard, ...]:
    """Every plan, its own among them."""
    seen = _Seen(agent, reader, wallet_of_agent(agent, timezone.now()))
    return tuple(
        _card(seen, plan.key, agent.region, plan.key, spoken(plan.name))
        for plan in catalog().plans.items
    )


def region_cards(agent: Agent, reader: User) -> tuple[ChangeCard, ...]:
    """Every place, its own among them."""
    seen = _Seen(agent, reader, wallet_of_agent(agent, timezone.now()))
    return tuple(
        _card(seen, agent.plan, region.key, region.key, spoken(region.name))
        for region in regions().items
    )


def fresh_offer(agent: Agent) -> OfferWords | None:
    """What a fresh machine where it is would cost."""
    quote = offer_of_change(agent, agent.plan, agent.region)
    return offer_words(quote) if quote else None


def own_price(agent: Agent) -> str:
    """What it costs now, by the hour, as agreed."""
    there = placement_of(agent)
    rate = there.rate if there else None
    return _hourly(rate) if rate else per_hour(agent.agreed_hourly_micros, agent.agreed_currency)


def returning_age(agent: Agent, now: datetime) -> str:
    """How old the backup is that an agent without a machine comes back from, "" for none."""
    kept = returns_from(agent)
    return lifetime(now - kept.made_at) if kept and kept.made_at else ""


def change_title(agent: Agent, progress: Progress) -> str:
    """What is being done with it, over the lines of the wait."""
    return str(_TITLES[progress.kind]) % {"name": agent.name} if progress.kind in _TITLES else ""


_TITLES: Mapping[str, str | Promise] = {
    OperationKind.STOP: gettext_lazy("%(name)s is falling asleep"),
    OperationKind.WAKE: gettext_lazy("%(name)s is waking up"),
    OperationKind.RESIZE: gettext_lazy("%(name)s gets another size"),
    OperationKind.MOVE: gettext_lazy("%(name)s moves"),
    OperationKind.REBUILD: gettext_lazy("%(name)s gets a fresh machine"),
}


def trouble_of(progress: Progress) -> tuple[str, str] | None:
    """Why the last change of its machine came to nothing, and what comes next."""
    failed = progress.state == OperationState.FAILED and progress.kind in CHANGES
    if not failed or progress.waiting is None:
        return None
    return str(progress.waiting.sentence), str(progress.waiting.next_sentence)


@dataclass(frozen=True, slots=True)
class _Seen:
    """An agent, who reads of it, and the wallet that pays for it; None where none does."""

    agent: Agent
    reader: User
    wallet: Wallet | None

    def after(self, rate: Rate, plan: str, region: str) -> OutlookWords | None:
        """What a change means for the wallet."""
        if self.wallet is None:
            return None
        found = outlook_of_change(self.wallet, self.agent, rate, plan=plan, region=region)
        return outlook_words(found, self.reader)


def wake_outlook(agent: Agent, reader: User) -> OutlookWords | None:
    """What waking it means for the wallet that pays for it; None where none does."""
    quote = wake_quote(agent)
    wallet = wallet_of_agent(agent, timezone.now())
    if quote is None or quote.awake is None or wallet is None:
        return None
    rate = quote.awake if quote.dearer else quote.agreed
    return outlook_words(outlook_of_change(wallet, agent, rate), reader)


def _card(seen: _Seen, plan: str, region: str, key: str, name: str) -> ChangeCard:
    agent = seen.agent
    quote = offer_of_change(agent, plan, region)
    is_own = (plan, region) == (agent.plan, agent.region)
    return ChangeCard(
        key=key,
        name=name,
        is_own=is_own,
        is_free=is_to_be_had(agent, plan, region),
        offer=offer_words(quote) if quote else None,
        outlook=seen.after(quote.rate, plan, region) if quote and not is_own else None,
    )


def _wake(quote: WakeQuote, awake: Rate) -> WakeWords:
    return WakeWords(
        hourly=_hourly(awake),
        most=_most(awake),
        asleep=_hourly(quote.asleep),
        dearer=quote.dearer,
        seen=str(awake.hourly_micros),
    )


def _saving(quote: SleepQuote) -> str:
    """What a night and a weekend come to, less than nothing included, and what every night does."""
    currency = quote.awake.currency
    text = gettext(
        "A night of 12 hours %(night)s, a weekend of 60 %(weekend)s. Every night, sleep %(nights)s"
        " a month."
    )
    return text % {
        "night": _saves(quote.nap.saves(NIGHT), currency),
        "weekend": _saves(quote.nap.saves(WEEKEND), currency),
        "nights": _saves(quote.nap.saves_monthly(NIGHTS * NIGHT, NIGHTS), currency),
    }


def _saves(micros: int, currency: str) -> str:
    if micros > 0:
        return gettext("saves %(sum)s") % {"sum": amount(micros, currency)}
    if micros == 0:
        return gettext("saves nothing")
    return gettext("costs %(sum)s more") % {"sum": amount(-micros, currency)}


def _note(quote: SleepQuote) -> str:
    """When short sleep does not pay, and why."""
    least = quote.break_even_hours
    if least is None:
        return gettext(
            "This month sleep saves nothing: what its machine costs is paid up to the cap, and"
            " waking begins a new one."
        )
    if least <= 1:
        return ""
    text = ngettext(
        "Shorter than %(n)s hour saves nothing: hours that have begun count in full",
        "Shorter than %(n)s hours saves nothing: hours that have begun count in full",
        least,
    )
    more = gettext(", and a new machine begins a new month's cap") if quote.new_machine else ""
    return text % {"n": least} + more + "."


def _hourly(rate: Rate) -> str:
    return per_hour(rate.hourly_micros, rate.currency)


def _most(rate: Rate) -> str:
    return at_most(at_most_monthly(rate), rate.currency)
