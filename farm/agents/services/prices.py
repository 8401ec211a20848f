"""Words about prices: an operator's that a cloud changes its own, and a member's that it may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action, demand
from farm.accounts.services import record
from farm.agents.models import Agent, Meter, Offer
from farm.agents.price_news import price_news
from farm.agents.refusals import Refused
from farm.agents.services.channels import lock_living
from farm.agents.services.paying import demand_change
from farm.agents.services.rights import demand_right
from farm.billing.models import Kind
from farm.billing.payers import agree_anew
from farm.billing.price_change_rows import PriceChange
from farm.billing.prices import MICROS, Rate
from farm.billing.selectors import at_most_monthly

NOTICE = timedelta(days=14)
"""How long before its date people are told; what a cloud takes before that is the farm's cost."""


@dataclass(frozen=True, slots=True)
class PriceWish:
    """What a cloud said: from that day (UTC) on a type, or its address, costs that in EUR, net."""

    provider: str
    server_type: str
    location: str
    day: date
    hourly: Decimal
    monthly: Decimal | None
    kind: Kind = Kind.SERVER


@transaction.atomic
def announce_price(*, actor: User, door: Door, wish: PriceWish) -> PriceChange:
    """Write down a cloud's change of prices for what exists; the meter's next run tells people.

    PermissionDenied to all but the farm's operators; Refused with a sentence at its field. Saying
    the same day again before anybody was told corrects the price.
    """
    demand(actor, Action.OPERATE_FARM)
    now = timezone.now()
    currency = _known(wish)
    change, _made = PriceChange.objects.update_or_create(
        provider=wish.provider,
        server_type=wish.server_type,
        location=wish.location,
        kind=wish.kind,
        valid_from=_date(wish.day, now),
        told_at=None,
        defaults={
            "hourly_micros": _micros(wish.hourly),
            "monthly_micros": None if wish.monthly is None else _micros(wish.monthly),
            "currency": currency,
            "announced_at": now,
        },
    )
    Meter.objects.update(due_at=now)
    record(account=None, actor=actor, door=door, verb="announce price", subject=str(change))
    return change


@transaction.atomic
def agree_to_price(*, actor: User, door: Door, agent: Agent, hourly_micros: int) -> None:
    """Agree to the price that its machine has, or is to have, if that is what was read.

    Refused where it is another one by now, and past its payer's limit.
    """
    demand_right(actor, agent, Action.MANAGE_AGENT)
    agent = lock_living(agent)
    news = price_news(agent, timezone.now())
    if news is None or news.rate.hourly_micros != hourly_micros:
        raise Refused("", "price_changed", _("The price has changed since you read it."))
    agree_to(agent, news.rate, timezone.now())
    record(account=agent.account, actor=actor, door=door, verb="agree price", subject=agent.uid)


def agree_to(agent: Agent, agreed: Rate, now: datetime) -> None:
    """Its machine may cost that from now on: its payer has room for it, or the wish is refused."""
    agent.agreed_hourly_micros = agreed.hourly_micros
    agent.agreed_monthly_micros = at_most_monthly(agreed)
    agent.agreed_currency = agreed.currency
    demand_change(agent, agreed, agent.plan, agent.region)
    agree_anew(agent_uid=agent.uid, monthly_micros=agent.agreed_monthly_micros, at=now)
    agent.due_at = now
    agent.save(
        update_fields=["agreed_hourly_micros", "agreed_monthly_micros", "agreed_currency", "due_at"]
    )


def _known(wish: PriceWish) -> str:
    """The currency in which that is sold there; Refused for what is not sold, or not like that."""
    offer = Offer.objects.filter(
        provider=wish.provider, server_type=wish.server_type, location=wish.location
    ).first()
    if offer is None:
        sentence = _("No cloud of this farm lists that type there: look at its name and its place.")
        raise Refused("server_type", "unknown", sentence)
    if (offer.monthly_micros is None) != (wish.monthly is None):
        sentence = _("Give a price for the month exactly where this cloud has one.")
        raise Refused("monthly", "invalid", sentence)
    if min(wish.hourly, wish.monthly or wish.hourly) < 0 or wish.kind not in (
        Kind.SERVER,
        Kind.IPV4,
    ):
        raise Refused("hourly", "invalid", _("Give a price in EUR, such as 0.0091."))
    return offer.currency


def _date(day: date, now: datetime) -> datetime:
    earliest = (now + NOTICE).astimezone(UTC).date() + timedelta(days=1)
    if day < earliest:
        sentence = _("People are told 14 days before: take {day} or later.")
        told = date_format(earliest, "Y-m-d")
        raise Refused("day", "too_early", sentence.format(day=told))
    return datetime.combine(day, time(), tzinfo=UTC)


def _micros(price: Decimal) -> int:
    return int((price * MICROS).to_integral_value())
