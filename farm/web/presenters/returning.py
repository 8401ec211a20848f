"""What it takes to have a deleted agent again, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from farm.accounts.models import Role, User
from farm.accounts.permissions import role_in
from farm.agents import selectors
from farm.agents.models import Agent
from farm.web.presenters.offers import OfferWords, chosen_model, offer_words


@dataclass(frozen=True, slots=True)
class ReturnWords:
    """Until when it is possible, today's price (None while unknown), and whose key is needed.

    `payer` is who pays in the reader's place, "" where they do. `provider` is "" where no key has
    to be pasted.
    """

    until: datetime | None
    offer: OfferWords | None
    payer: str
    provider: str
    key_hint: str


def return_words(agent: Agent, reader: User) -> ReturnWords:
    """What the page of a deleted agent says."""
    quote = selectors.offer_for(agent.plan, agent.region)
    model = chosen_model(agent.model_provider)
    shared = agent.shared_key is not None and agent.shared_key.revoked_at is None
    pays = role_in(reader, agent.account) == Role.OWNER
    asks = not shared and model.needs_key
    return ReturnWords(
        until=selectors.kept_until(agent),
        offer=offer_words(quote) if quote else None,
        payer="" if pays else selectors.paid_by(agent).payer.name,
        provider=model.name if asks else "",
        key_hint=model.hint if asks else "",
    )
