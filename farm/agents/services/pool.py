"""The operator's word on machines kept ready: how many of which, when, at what price."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action, demand
from farm.accounts.services import record
from farm.agents.clouds import regions
from farm.agents.models import Pool
from farm.agents.models.pool import EVERY_DAY
from farm.agents.refusals import Refused
from farm.agents.selectors.money import own_cost_for
from farm.billing.selectors import at_most_monthly
from farm.catalog import catalog

MOST = 50
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS = re.compile(r"(\d{1,2})-(\d{1,2})")


@dataclass(frozen=True, slots=True)
class PoolWish:
    """So many machines of a plan in a region, in some `hours` ("8-19", UTC) of some `days`.

    Days as in "mon-fri" or "mon,wed"; "" is always. With `follow_demand` up to `at_most` machines
    as lately were asked for in one hour.
    """

    plan: str
    region: str
    size: int
    hours: str = ""
    days: str = ""
    follow_demand: bool = False
    at_most: int = 0


def set_pool(*, actor: User, door: Door, wish: PoolWish) -> Pool:
    """Keep that many ready from now on, at today's price and no more; none by 0.

    PermissionDenied to all but the farm's operators; Refused with a sentence at its field.
    """
    demand(actor, Action.OPERATE_FARM)
    plan, region = _known(wish)
    begin, end = hours_in(wish.hours)
    days = days_in(wish.days)
    most = _number("at_most", wish.at_most) if wish.follow_demand else 0
    fields = {
        "size": _number("size", wish.size),
        "from_hour": begin,
        "to_hour": end,
        "days": days,
        "follow_demand": wish.follow_demand and most > 0,
        "at_most": most,
        "reason": "",
        "due_at": timezone.now(),
        **_agreed(wish),
    }
    with transaction.atomic():
        pool, _made = Pool.objects.update_or_create(plan=plan, region=region, defaults=fields)
        told = f"{pool.size} of {plan} in {region}"
        record(account=None, actor=actor, door=door, verb="set pool", subject=told)
    return pool


def hours_in(text: str) -> tuple[int, int]:
    """The first hour and the one after the last, twice the same for all day; Refused if unclear."""
    if not text.strip():
        return 0, 0
    found = HOURS.fullmatch(text.strip())
    begin, end = (int(found[1]), int(found[2])) if found else (99, 99)
    if begin > 23 or end > 24 or begin == end % 24:
        raise Refused("hours", "invalid", _("Write hours as in 8-19, by UTC."))
    return begin, end % 24


def days_in(text: str) -> str:
    """Their numbers, 0 is Monday; Refused if unclear."""
    if not text.strip():
        return EVERY_DAY
    try:
        chosen = {day for part in text.lower().split(",") for day in _span(part.strip())}
    except ValueError:
        raise Refused("days", "invalid", _("Write days as in mon-fri or sat,sun.")) from None
    return "".join(str(day) for day in sorted(chosen))


def _span(part: str) -> list[int]:
    first, dash, last = part.partition("-")
    begin, end = WEEK.index(first), WEEK.index(last if dash else first)
    return [day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)]


def _known(wish: PoolWish) -> tuple[str, str]:
    plans, places = catalog().plans.keys(), regions().keys()
    if wish.plan not in plans:
        sentence = _("There is no such plan: take one of {plans}.")
        raise Refused("plan", "unknown", sentence.format(plans=", ".join(plans)))
    if wish.region not in places:
        sentence = _("This farm has no such region: take one of {regions}.")
        raise Refused("region", "unknown", sentence.format(regions=", ".join(places)))
    return wish.plan, wish.region


def _number(name: str, value: int) -> int:
    if not 0 <= value <= MOST:
        raise Refused(name, "invalid", _("Write a number from 0 to {most}.").format(most=MOST))
    return value


def _agreed(wish: PoolWish) -> dict[str, int | str]:
    quote = own_cost_for(wish.plan, wish.region)
    if quote is None and (wish.size or wish.follow_demand):
        sentence = _("The price is not known yet: try again in a minute.")
        raise Refused("region", "price_unknown", sentence)
    if quote is None:
        return {}
    return {
        "agreed_hourly_micros": quote.hourly_micros,
        "agreed_monthly_micros": at_most_monthly(quote),
        "agreed_currency": quote.currency,
    }
