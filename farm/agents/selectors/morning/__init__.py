"""The operator's morning: what is to be done, how the fleet is, and what the night brought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from farm.agents.selectors.morning.agreement import Agreement, agreement_now
from farm.agents.selectors.morning.books import Clouds, Kept, clouds_now, kept_now
from farm.agents.selectors.morning.fleet import Fleet, fleet_now
from farm.agents.selectors.morning.money import Money, Spent, money_at
from farm.agents.selectors.morning.night import NightLine, night_before
from farm.agents.selectors.morning.rescues import Rescues, rescues_now
from farm.agents.selectors.morning.todo import Todo
from farm.agents.selectors.morning.todos import todos_at
from farm.agents.selectors.pool import PoolView, pools_in_use

__all__ = [
    "Agreement",
    "Clouds",
    "Fleet",
    "Kept",
    "Money",
    "Morning",
    "NightLine",
    "PoolView",
    "Rescues",
    "Spent",
    "Todo",
    "morning_at",
]


@dataclass(frozen=True, slots=True)
class Morning:
    """All of it, from the database alone: no cloud is asked and none waited for."""

    at: datetime
    todos: Sequence[Todo]
    fleet: Fleet
    money: Money
    agreement: Agreement
    clouds: Clouds
    pools: Sequence[PoolView]
    kept: Kept
    rescues: Rescues
    night: Sequence[NightLine]


def morning_at(now: datetime) -> Morning:
    """As the farm stands at `now`."""
    return Morning(
        at=now,
        todos=todos_at(now),
        fleet=fleet_now(),
        money=money_at(now),
        agreement=agreement_now(),
        clouds=clouds_now(),
        pools=pools_in_use(now),
        kept=kept_now(),
        rescues=rescues_now(),
        night=night_before(now),
    )
