"""Whether a machine costs more than its agent's owner agreed to, now or from a date on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from farm.agents.machine_of import machine_of
from farm.agents.models import Agent
from farm.agents.placement import agreed_by, is_within
from farm.billing.price_changes import coming_change, rate_with
from farm.billing.prices import Rate
from farm.billing.selectors import rate_of


@dataclass(frozen=True, slots=True)
class PriceNews:
    """What its machine costs, or will from `since` on (None: now), and what was agreed at most."""

    rate: Rate
    agreed: Rate
    since: datetime | None


def price_news(agent: Agent, now: datetime) -> PriceNews | None:
    """None while its machine costs no more than that, and is not going to.

    Until somebody agrees it goes on, and costs its payer no more in a month than was agreed.
    """
    server, agreed = machine_of(agent), agreed_by(agent)
    if server is None or server.gone_at or server.wanted_gone:
        return None
    change = coming_change(server.provider, server.server_type, server.location, now)
    if change and not is_within(later := rate_with(server.uid, change), agreed):
        return PriceNews(later, agreed, change.valid_from)
    rate = rate_of(server.uid)
    if rate is None or is_within(rate, agreed):
        return None
    return PriceNews(rate, agreed, None)
