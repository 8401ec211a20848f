"""AI in words: what an agent may spend and has spent, and the keys that an account shares."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from farm.accounts.models import Account, User
from farm.accounts.permissions import Action
from farm.agents.models import Agent, SharedKey
from farm.agents.selectors import may_with, paid_by
from farm.agents.selectors.choices import COMPATIBLE_PROVIDER, SANDBOX_PROVIDER
from farm.agents.selectors.shared_keys import (
    agents_with,
    lender_of,
    open_request_of,
    shared_keys_of,
)
from farm.billing.ai_spend import ai_days_of, ai_month, ai_used_up
from farm.billing.amounts import cents
from farm.catalog import catalog
from farm.web.presenters.offers import Option

CURRENCY = "EUR"


@dataclass(frozen=True, slots=True)
class BudgetWords:
    """How an agent's budget stands; `percent` is of this month's budget, 0 to 100.

    `unseen` says what could not be seen, "" where everything was. `asked` while a wish for more
    waits; `request_uid` is that wish's, for who may grant it, else "".
    """

    budget: str
    spent: str
    percent: int
    used_up: bool
    step: str
    lender: str
    unseen: str
    asked: bool
    request_uid: str
    may_set: bool
    revoked: bool


@dataclass(frozen=True, slots=True)
class KeyWords:
    """One shared key; never the key itself."""

    uid: str
    name: str
    provider: str
    model: str
    lender: str
    budget: str
    users: str


def budget_words(agent: Agent, reader: User) -> BudgetWords | None:
    """The budget of an agent that thinks with a shared key; None for every other."""
    shared, budget = agent.shared_key, agent.ai_budget_micros
    if shared is None or budget is None:
        return None
    now = timezone.now()
    spent = ai_month(agent.uid, now).spent_micros
    may_set = may_with(reader, agent, Action.PAY_AGENT)
    request = open_request_of(agent)
    return BudgetWords(
        budget=cents(budget, CURRENCY),
        spent=cents(spent, CURRENCY),
        percent=min(100, spent * 100 // budget) if budget else 100,
        used_up=ai_used_up(agent.uid, budget, now),
        step=cents(settings.AI_BUDGET_STEP_EUR * 1_000_000, CURRENCY),
        lender=lender_of(shared, paid_by(agent).payer),
        unseen=_unseen(agent),
        asked=request is not None,
        request_uid=request.uid if request and may_set else "",
        may_set=may_set,
        revoked=shared.revoked_at is not None,
    )


def ai_sentence(agent: Agent, reader: User) -> str:
    """Who pays for its AI: a payer of the account, or whoever owns the key on its machine."""
    if agent.shared_key:
        text = gettext("%(payer)s pays for its AI: it thinks with a shared key.")
        return text % {"payer": lender_of(agent.shared_key, paid_by(agent).payer)}
    if agent.model_provider == SANDBOX_PROVIDER:
        return gettext("Its AI costs nothing: it is the sandbox's own model.")
    provider = catalog().models.get(agent.model_provider).name
    if agent.owner_id == reader.pk:
        text = gettext("Its AI runs on your own key: %(provider)s bills you for it.")
    else:
        text = gettext("Its AI runs on %(owner)s's own key: %(provider)s bills them for it.")
    return text % {"provider": provider, "owner": agent.owner.called}


def key_words(account: Account) -> tuple[KeyWords, ...]:
    """Every key that the account shares."""
    return tuple(_key(key) for key in shared_keys_of(account))


def credit_ways(agent: Agent) -> tuple[KeyWords, ...]:
    """The keys that an agent whose own account has no credit may think with instead."""
    waits = agent.reason == "credit_awaited" and agent.shared_key is None
    return key_words(agent.account) if waits else ()


def provider_options(chosen: str) -> tuple[Option, ...]:
    """Whose key it may be."""
    named = [(item.key, item.name) for item in catalog().models.items]
    named.append((COMPATIBLE_PROVIDER, gettext("Another address that speaks OpenAI's dialect")))
    key = chosen if chosen in [known for known, _ in named] else named[0][0]
    return tuple(Option(known, name, known == key) for known, name in named)


def _key(key: SharedKey) -> KeyWords:
    users = agents_with(key)
    counted = ngettext("%(n)s agent", "%(n)s agents", users) % {"n": users}
    return KeyWords(
        uid=key.uid,
        name=key.name,
        provider=key.provider if not key.base_url else key.base_url,
        model=key.model,
        lender=lender_of(key),
        budget=cents(key.monthly_micros, CURRENCY),
        users=counted,
    )


def _unseen(agent: Agent) -> str:
    """What the relay could not see is said, with what it counted instead."""
    days = list(ai_days_of(agent.uid, timezone.now().date()))
    calls = sum(day.unseen_calls for day in days)
    if not calls:
        return ""
    micros = sum(day.unseen_micros for day in days)
    text = ngettext(
        "%(n)s call was cut off before its cost was known: it is counted at the most it can have"
        " cost, %(most)s.",
        "%(n)s calls were cut off before their cost was known: they are counted at the most they"
        " can have cost, %(most)s.",
        calls,
    )
    return text % {"n": calls, "most": cents(micros, CURRENCY)}
