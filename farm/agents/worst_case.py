"""What an agent can cost until it is deleted for want of money: a day awake, and 30 days asleep."""

from __future__ import annotations

from collections.abc import Sequence

from farm.agents.clouds import OFF_IS_FREE
from farm.agents.models import Agent, Change
from farm.agents.placement import Rung, agreed_by, ladder
from farm.billing.holds import Worst, grace_at, run_at
from farm.billing.prices import Rate, copy_rate
from farm.billing.selectors import sum_of, with_fee
from farm.catalog import catalog


def worst_of(
    agent: Agent, agreed: Rate | None = None, *, plan: str = "", region: str = ""
) -> Worst:
    """Of an agent as it is, or as it is to be; while it changes, the dearer of both.

    By what its owner agreed to and by the clouds' lists, never by what its present machine is: the
    same while it sleeps and while it runs, so that nothing falls asleep because it woke.
    """
    ways = [_worst(plan or agent.plan, region or agent.region, agreed or agreed_by(agent))]
    if agreed:
        ways.append(_worst(agent.plan, agent.region, agreed_by(agent)))
    change = Change.objects.filter(agent=agent).first()
    if change:
        before = Rate(
            change.agreed_hourly_micros, change.agreed_monthly_micros, change.agreed_currency
        )
        ways.append(_worst(change.plan, change.region, before))
    return Worst(
        run_micros=max(way.run_micros for way in ways),
        grace_micros=max(way.grace_micros for way in ways),
    )


def worst_of_new(plan: str, region: str, agreed: Rate) -> Worst:
    """Of one that is not there yet."""
    return _worst(plan, region, agreed)


def is_smallest(plan: str) -> bool:
    """Whether none is sold that has less memory."""
    plans = catalog().plans.items
    return plan in [one.key for one in plans if one.memory_gb == min(p.memory_gb for p in plans)]


def _worst(plan: str, region: str, agreed: Rate) -> Worst:
    rungs = _rungs(plan, region)
    # Where nothing is known of sleep there is none: it would run until it is deleted.
    awake = grace_at(agreed, is_spread=False)
    return Worst(
        run_micros=run_at(agreed.hourly_micros),
        grace_micros=max([_grace(rung, awake) for rung in rungs], default=awake),
    )


def _rungs(plan: str, region: str) -> Sequence[Rung]:
    """None for what is not in the catalogue any more."""
    shelves = catalog()
    try:
        return ladder(shelves.plans.get(plan), shelves.regions.get(region))
    except KeyError:
        return []


def _grace(rung: Rung, awake: int) -> int:
    if rung.provider in OFF_IS_FREE:
        return grace_at(
            sum_of([part for part in (rung.ipv4, rung.volume) if part]), is_spread=False
        )
    if rung.copy_terabyte is None or not rung.disk_gb:
        return awake
    copy = with_fee([copy_rate(rung.disk_gb, rung.copy_terabyte)], machine=False)
    return grace_at(copy, is_spread=True)
