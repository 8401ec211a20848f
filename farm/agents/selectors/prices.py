"""What stands on the buttons that change a machine: prices before and after, and the difference.

Net, in micro-units, the IPv4 address and the disk included. What an agent costs its payer in a
month at most, `Agent.agreed_monthly_micros`, covers all its machines one after another and the
copies of their disks; what the clouds charge beyond that is the farm's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from farm.agents.clouds import OFF_IS_FREE
from farm.agents.machine_of import machine_of
from farm.agents.models import Agent
from farm.agents.placement import agreed_by, dearer_than_agreed, is_within
from farm.agents.selectors.asleep import LASTING, asleep_rate, copy_at_most, lasting
from farm.agents.selectors.money import offer_for
from farm.agents.stays import stay_of
from farm.billing.metering import month_so_far
from farm.billing.models import Kind
from farm.billing.naps import Nap, Part
from farm.billing.prices import Rate
from farm.billing.rule import month_of
from farm.billing.selectors import parts_of, rate_of, sum_of


@dataclass(frozen=True, slots=True)
class SleepQuote:
    """What stands on the button that puts an agent to sleep.

    `awake` and `asleep` are what an hour costs then, and a month at most (its `monthly_micros`;
    None where every hour counts). With `at_most` the second is an upper bound, that of a full disk:
    how big its copy is, is known once it is made. `nap.saves(hours)` is what so many hours asleep
    save, less than nothing where they cost; they save from `break_even_hours` on, None if not
    within a month. With `new_machine` waking makes another one, whose hour and month begin anew.
    """

    awake: Rate
    asleep: Rate
    at_most: bool
    new_machine: bool
    nap: Nap
    break_even_hours: int | None


@dataclass(frozen=True, slots=True)
class WakeQuote:
    """What stands on the button that wakes it: what an hour costs asleep and awake.

    With `dearer` no machine within the `agreed` price is to be had, and `awake` is the cheapest
    one: it stays asleep until somebody agrees to that. `awake` is None while no price is known.
    """

    asleep: Rate
    awake: Rate | None
    agreed: Rate
    dearer: bool


def sleep_quote(agent: Agent, now: datetime) -> SleepQuote | None:
    """For an agent with a machine; None while a price is not known, and then it stays awake."""
    server = machine_of(agent)
    stay = stay_of(server, now) if server else None
    parts = parts_of(server.uid) if server else {}
    if server is None or stay is None or Kind.SERVER not in parts:
        return None
    new_machine = server.provider not in OFF_IS_FREE
    asleep = copy_at_most(server) if new_machine else lasting(parts)
    if asleep is None:
        return None
    so_far = month_so_far(stay, month_of(now))
    ending = [
        Part(rate, so_far[kind])
        for kind, rate in parts.items()
        if new_machine or kind not in LASTING
    ]
    nap = Nap(now, tuple(ending), asleep if new_machine else None)
    return SleepQuote(
        awake=sum_of(list(parts.values())),
        asleep=asleep,
        at_most=new_machine,
        new_machine=new_machine,
        nap=nap,
        break_even_hours=nap.break_even(),
    )


def wake_quote(agent: Agent) -> WakeQuote | None:
    """For an agent that sleeps; None where it is not known what it costs asleep."""
    asleep = asleep_rate(agent)
    if asleep is None:
        return None
    dearer, server = dearer_than_agreed(agent), machine_of(agent)
    if server and server.provider in OFF_IS_FREE and not server.gone_at:
        awake, agreed = rate_of(server.uid), agreed_by(agent)
        dearer_now = awake is not None and not is_within(awake, agreed)
        return WakeQuote(asleep, awake, agreed, dearer=dearer_now)
    if dearer:
        return WakeQuote(asleep, dearer.total, agreed_by(agent), dearer=True)
    offer = offer_for(agent.plan, agent.region)
    return WakeQuote(asleep, offer.rate if offer else None, agreed_by(agent), dearer=False)
