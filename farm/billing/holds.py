"""What of a wallet is set aside for each agent, so that nothing is lost on the day it is empty."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet

from farm.billing.customer_rows import Hold
from farm.billing.models import Payer
from farm.billing.prices import Rate

RUN: Final = timedelta(hours=24)
"""How long an agent may run on what is set aside, until it surely sleeps."""
GRACE: Final = timedelta(days=30)
"""How long what it has is kept then, on what is set aside."""
SHORTEST_MONTH: Final = timedelta(days=28)
HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Worst:
    """What an agent can cost until it is deleted for want of money; net micro-euros."""

    run_micros: int
    grace_micros: int

    @property
    def micros(self) -> int:
        """All of it."""
        return self.run_micros + self.grace_micros


def run_at(hourly_micros: int) -> int:
    """What a day awake costs at most."""
    return hourly_micros * (RUN // HOUR)


def grace_at(asleep: Rate, *, is_spread: bool) -> int:
    """What 30 days asleep cost at most; `is_spread` for a price by the month that hours share."""
    hours = GRACE // HOUR
    if asleep.monthly_micros is None:
        return asleep.hourly_micros * hours
    if is_spread:
        return -(-asleep.monthly_micros * hours // (SHORTEST_MONTH // HOUR))
    # 30 days lie in two calendar months at the most, and each has its cap.
    return min(asleep.hourly_micros * hours, 2 * asleep.monthly_micros)


def live_holds(payer: Payer) -> QuerySet[Hold]:
    """What is set aside of this payer's money now, the oldest first."""
    return Hold.objects.filter(payer=payer, released_at=None).order_by("since", "pk")


def set_aside(*, payer: Payer, agent_uid: str, worst: Worst, now: datetime) -> Hold:
    """Hold that much for the agent, here and nowhere else; asks nobody whether it is there.

    In the caller's transaction. That the farm put it to sleep goes over to another payer with it.
    """
    held = Hold.objects.select_for_update(no_key=True).filter(agent_uid=agent_uid, released_at=None)
    found = held.first()
    if found and found.payer_id == payer.pk:
        if (found.run_micros, found.grace_micros) != (worst.run_micros, worst.grace_micros):
            found.run_micros, found.grace_micros = worst.run_micros, worst.grace_micros
            found.save(update_fields=["run_micros", "grace_micros"])
        return found
    held.update(released_at=now)
    return Hold.objects.create(
        payer=payer,
        agent_uid=agent_uid,
        run_micros=worst.run_micros,
        grace_micros=worst.grace_micros,
        since=now,
        slept_at=found.slept_at if found else None,
    )


def let_go(agent_uid: str, now: datetime) -> None:
    """Nothing is set aside for the agent any more: it is gone, or pays no wallet of its own."""
    Hold.objects.filter(agent_uid=agent_uid, released_at=None).update(released_at=now)


def note_slept(agent_uid: str, at: datetime | None) -> None:
    """When the farm put it to sleep for want of money; None: it did not, or it may wake again."""
    Hold.objects.filter(agent_uid=agent_uid, released_at=None).update(slept_at=at)


def burn_of(payer: Payer) -> int:
    """What the payer's agents cost in a day at most, as they are: awake, or put to sleep by us.

    One that its own people put to sleep counts as awake: it may wake any hour, and a mail about a
    day that comes and goes with it would be told each night.
    """
    return sum(
        held.run_micros if held.slept_at is None else held.grace_micros // GRACE.days
        for held in live_holds(payer)
    )
