"""What a wish means for the wallet that would pay it: how long it lasts then, or what it lacks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from farm.agents.models import Agent
from farm.agents.selectors.months import paid_by
from farm.agents.worst_case import worst_of, worst_of_new
from farm.billing.holds import GRACE, Worst, burn_of, live_holds
from farm.billing.models import Payer
from farm.billing.prices import Rate
from farm.billing.seeing import ai_a_day
from farm.billing.standing import Standing, standing_of


@dataclass(frozen=True, slots=True)
class Outlook:
    """`missing` micro-euros would have to be paid in first; without, it lasts so many `days` then.

    None days: nothing would be used.
    """

    payer: Payer
    missing: int
    days: int | None


@dataclass(frozen=True, slots=True)
class Wallet:
    """A payer that pays in advance, as it stands, looked at once for many wishes.

    `own` and `own_burn` are what is set aside for the agent that a wish is about, and what of a
    day's cost is its.
    """

    standing: Standing
    burn: int
    own: int = 0
    own_burn: int = 0

    def after(self, worst: Worst) -> Outlook:
        """With that set aside for the agent in the place of what is now."""
        free = self.standing.balance.available + self.own - worst.micros
        burn = self.burn - self.own_burn + worst.run_micros
        days = max(0, free) // burn if burn else None
        return Outlook(self.standing.payer, max(0, -free), days)


def wallet_for(payer: Payer, now: datetime, agent_uid: str = "") -> Wallet | None:
    """None where nothing is paid in advance."""
    if payer.kind != Payer.Kind.WALLET:
        return None
    burn = burn_of(payer) + ai_a_day(payer, now)
    held = live_holds(payer).filter(agent_uid=agent_uid).first() if agent_uid else None
    if held is None:
        return Wallet(standing_of(payer, now), burn)
    own_burn = held.grace_micros // GRACE.days if held.slept_at else held.run_micros
    own = held.run_micros + held.grace_micros
    return Wallet(standing_of(payer, now), burn, own, own_burn)


def wallet_of_agent(agent: Agent, now: datetime) -> Wallet | None:
    """Of who pays for the agent now."""
    return wallet_for(paid_by(agent).payer, now, agent.uid)


def outlook_of_new(wallet: Wallet, plan: str, region: str, rate: Rate) -> Outlook:
    """Once there is one more agent of that size, there, at that price."""
    return wallet.after(worst_of_new(plan, region, rate))


def outlook_of_change(
    wallet: Wallet, agent: Agent, rate: Rate, *, plan: str = "", region: str = ""
) -> Outlook:
    """Once the agent is as it is to be, at that price; or awake again."""
    return wallet.after(worst_of(agent, rate, plan=plan, region=region))
