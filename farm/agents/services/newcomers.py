"""An agent for somebody who is new to the farm, made by the operator."""

from __future__ import annotations

from django.db import transaction

from farm.accounts.models import Account, Door, User
from farm.accounts.services import account_of, make_person
from farm.agents.models import Agent
from farm.agents.services.agents import Asked, make_agent
from farm.agents.services.paying import checked_charge
from farm.agents.services.telegram import checked_bot
from farm.agents.services.wishes import AgentWish, checked


def create_agent_for(*, email: str, door: Door, wish: AgentWish) -> Agent:
    """The agent of a new person, who has this address; Refused leaves no person behind."""
    found = checked(User(email=email), Account(), wish)
    bot = checked_bot(wish.telegram_bot_token) if wish.telegram_bot_token.strip() else None
    with transaction.atomic():
        person = make_person(email=email, language=found.language, door=door)
        account = account_of(user=person)
        to = checked_charge(person, account, wish.payer_uid, wish.cost_centre)
        return make_agent(person, account, door, Asked(found, to, bot))
