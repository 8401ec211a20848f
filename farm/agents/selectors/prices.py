"""What stands on the buttons that change a machine: prices before and after, and the difference.

Net, in micro-units, the IPv4 address and the disk included. What an agent costs its payer in a
month at most, `Agent.agreed_monthly_micros`, covers all its machines one after another and the
copies of their disks; what the clouds charge beyond that is the farm's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from farm.agents.clouds import OFF_IS_FREE
from farm.agents.machine_of import machine_of
from farm.agents.models import Agent, DiskCopy, Offer, Server
from farm.agents.placement import agreed_by, copy_terabyte_of, dearer_than_agreed
from farm.agents.selectors.changes import offer_of_change
from farm.agents.selectors.money import offer_for
from farm.agents.sizes import types_in_place
from farm.agents.stays import stay_of
from farm.billing.metering import month_so_far
from farm.billing.models import Kind
from farm.billing.naps import Nap, Part
from farm.billing.prices import Rate, copy_rate
from farm.billing.rule import month_of
from farm.billing.selectors import parts_of, rate_of, sum_of
from farm.catalog import catalog

LASTING = (Kind.IPV4, Kind.VOLUME)
"""What goes on costing of a machine that is off where off is free."""


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
    one: it stays asleep until somebody agrees to that. `awake` is None while nothing is to be had.
    """

    asleep: Rate
    awake: Rate | None
    agreed: Rate
    dearer: bool


@dataclass(frozen=True, slots=True)
class ChangeQuote:
    """What stands on the button that resizes or moves it: what it costs now, and then.

    `overlap_micros` is what the other machine costs until it takes over, if that takes no more
    than an hour: the farm's, not the payer's; 0 where the same machine changes.
    """

    now: Rate
    then: Rate
    overlap_micros: int


def sleep_quote(agent: Agent, now: datetime) -> SleepQuote | None:
    """For an agent with a machine; None while a price is not known, and then it stays awake."""
    server = machine_of(agent)
    stay = stay_of(server, now) if server else None
    parts = parts_of(server.uid) if server else {}
    if server is None or stay is None or Kind.SERVER not in parts:
        return None
    new_machine = server.provider not in OFF_IS_FREE
    asleep = _copy_at_most(server) if new_machine else sum_of(_lasting(parts))
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
        return WakeQuote(asleep, rate_of(server.uid), agreed_by(agent), dearer=False)
    if dearer:
        return WakeQuote(asleep, dearer.total, agreed_by(agent), dearer=True)
    offer = offer_for(agent.plan, agent.region)
    return WakeQuote(asleep, offer.rate if offer else None, agreed_by(agent), dearer=False)


def asleep_rate(agent: Agent) -> Rate | None:
    """What an hour of its sleep costs now: that of its copy, or of what its machine keeps."""
    copy = agent.copies.filter(gone_at=None, wanted_gone=False).order_by("-pk").first()
    if copy:
        return _copy_rate(copy)
    server = machine_of(agent)
    if server is None or server.gone_at or server.provider not in OFF_IS_FREE:
        return None
    return sum_of(_lasting(parts_of(server.uid)))


def resize_quote(agent: Agent, plan: str) -> ChangeQuote | None:
    """Its machine as one of that plan, or another one where its cloud has none to be had there.

    None while a price is not known. KeyError for an unknown plan.
    """
    server, then = machine_of(agent), offer_of_change(agent, plan, agent.region)
    rate = rate_of(server.uid) if server else None
    if server is None or rate is None or then is None:
        return None
    stays = bool(types_in_place(server, catalog().plans.get(plan)))
    return ChangeQuote(rate, then.rate, 0 if stays else then.hourly_micros)


def move_quote(agent: Agent, region: str) -> ChangeQuote | None:
    """Another machine of its plan in that region; also for a fresh one where it is.

    None while a price is not known. KeyError for an unknown region.
    """
    server, offer = machine_of(agent), offer_for(agent.plan, region)
    rate = rate_of(server.uid) if server else None
    if offer is None or rate is None:
        return None
    return ChangeQuote(rate, offer.rate, offer.hourly_micros)


def _lasting(parts: Mapping[Kind, Rate]) -> list[Rate]:
    return [rate for kind, rate in parts.items() if kind in LASTING]


def _copy_at_most(server: Server) -> Rate | None:
    """What a copy of its disk costs, if it is full."""
    there = Offer.objects.filter(provider=server.provider, server_type=server.server_type)
    offer = there.exclude(disk_gb=0).order_by("-disk_gb").first()
    terabyte = copy_terabyte_of(offer) if offer else None
    return copy_rate(offer.disk_gb, terabyte) if offer and terabyte else None


def _copy_rate(copy: DiskCopy) -> Rate | None:
    known = parts_of(copy.uid).get(Kind.SNAPSHOT)
    return known or _copy_at_most(copy.server)
