"""Model keys that an account shares: checked with their provider, kept, revoked; never shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Account, Door, User
from farm.accounts.permissions import Action, demand
from farm.accounts.services import record
from farm.agents.events import note
from farm.agents.model_keys import KeyVerdict
from farm.agents.models import Agent, SharedKey
from farm.agents.refusals import Refused
from farm.agents.relay_keys import hash_of, new_relay_key
from farm.agents.selectors.choices import COMPATIBLE_PROVIDER
from farm.agents.services.channels import ask_reconfigure, lock_living
from farm.agents.services.rights import demand_right
from farm.agents.services.thinking import (
    MOST_BUDGET,
    MindWish,
    checked_mind,
    checked_text_of_key,
    demand_known,
    provider_called,
)
from farm.billing.payers import NotThisPayer, payer_of
from farm.catalog import ModelProvider

LONGEST_NAME = 80
_MIND = ("shared_key", "ai_budget_micros", "model_provider", "model", "model_key")
USUAL_BUDGET = 20 * 1_000_000
"""Micro-euros a month that an agent gets where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class KeyWish:
    """A key to share. "" for `name` and `model` is the provider's own; `base_url` and a model are
    needed for the provider "compatible". `monthly_micros` is each agent's usual budget.
    `payer_uid` charges what is used to that payer, "" to whoever pays for the agent."""

    provider: str
    key: str = field(repr=False)
    name: str = ""
    model: str = ""
    base_url: str = ""
    monthly_micros: int = USUAL_BUDGET
    payer_uid: str = ""


def add_shared_key(*, actor: User, account: Account, door: Door, wish: KeyWish) -> SharedKey:
    """Keep a key that its provider knows and that can pay; Refused says at which field why not.

    The provider is asked by one short turn, before anything is written.
    """
    demand(actor, Action.MANAGE_KEYS, account)
    provider = _checked_provider(wish)
    key = checked_text_of_key(wish.key, provider.name)
    payer_uid = _checked_payer(account, wish.payer_uid)
    name = _checked_name(wish.name or provider.name)
    _check_budget(wish.monthly_micros)
    if demand_known(provider, key) is KeyVerdict.NO_CREDIT:
        text = _(
            "{provider} takes this key, but its account has no credit: add some, then try again."
        )
        raise Refused("model_key", "model_no_credit", format_lazy(text, provider=provider.name))
    with transaction.atomic():
        shared = SharedKey.objects.create(
            account=account,
            payer_uid=payer_uid,
            name=name,
            provider=provider.key,
            model=provider.model,
            base_url=provider.endpoint if provider.key == COMPATIBLE_PROVIDER else "",
            key=key,
            monthly_micros=wish.monthly_micros,
            created_at=timezone.now(),
        )
        record(account=account, actor=actor, door=door, verb="share key", subject=shared.uid)
    return shared


@transaction.atomic
def revoke_shared_key(*, actor: User, door: Door, key: SharedKey) -> None:
    """From now on no agent thinks with it, and the farm forgets it; content if it was revoked."""
    demand(actor, Action.MANAGE_KEYS, key.account)
    living = SharedKey.objects.filter(pk=key.pk, revoked_at=None)
    if not living.update(revoked_at=timezone.now(), key=""):
        return
    record(account=key.account, actor=actor, door=door, verb="revoke key", subject=key.uid)


@transaction.atomic
def renew_relay_key(*, actor: User, door: Door, agent: Agent) -> None:
    """The agent's key to the relay is void at once; its machine gets a new one.

    Refused for an agent that thinks with a key of its own.
    """
    demand_right(actor, agent, Action.MANAGE_AGENT)
    agent = lock_living(agent)
    if agent.shared_key is None:
        raise Refused("", "no_shared_key", _("This agent thinks with a key of its own."))
    now = timezone.now()
    agent.relay_key = new_relay_key()
    agent.relay_key_hash = hash_of(agent.relay_key)
    agent.save(update_fields=["relay_key", "relay_key_hash"])
    note(agent, "relay_key_renewed", at=now)
    record(account=agent.account, actor=actor, door=door, verb="renew relay key", subject=agent.uid)
    ask_reconfigure(agent, now)


@transaction.atomic
def use_shared_key(*, actor: User, door: Door, agent: Agent, key_uid: str) -> None:
    """From now on the agent thinks with a shared key of its account, its own key is forgotten.

    Its budget is the key's usual one. Refused for a key that is none of the account's.
    """
    demand_right(actor, agent, Action.MANAGE_AGENT)
    agent = lock_living(agent)
    mind = checked_mind(actor, agent.account, MindWish(shared_key_uid=key_uid))
    agent.shared_key, agent.ai_budget_micros = mind.shared_key, mind.budget_micros
    agent.model_provider, agent.model, agent.model_key = mind.provider, mind.model, ""
    agent.relay_key = new_relay_key()
    agent.relay_key_hash = hash_of(agent.relay_key)
    agent.save(update_fields=[*_MIND, "relay_key", "relay_key_hash"])
    now = timezone.now()
    note(agent, "shared_key_taken", at=now)
    record(account=agent.account, actor=actor, door=door, verb="use shared key", subject=agent.uid)
    ask_reconfigure(agent, now)


def _checked_provider(wish: KeyWish) -> ModelProvider:
    if wish.provider != COMPATIBLE_PROVIDER:
        known = provider_called(wish.provider)
        model = _checked_model(wish.model or known.model)
        return ModelProvider(known.key, known.name, model, known.endpoint, known.key_hint)
    url = wish.base_url.strip().rstrip("/")
    parts = urlsplit(url)
    good = parts.scheme in ("http", "https") and parts.hostname and not parts.username
    if not good or parts.query or parts.fragment or len(url) > 200 or not url.isprintable():
        sentence = _(
            "Give its address up to and with the version, such as https://models.example.org/v1."
        )
        raise Refused("base_url", "base_url", sentence)
    return ModelProvider(
        COMPATIBLE_PROVIDER, parts.hostname or "", _checked_model(wish.model), url, ""
    )


def _checked_model(model: str) -> str:
    model = model.strip()
    if not model or len(model) > 80 or not model.isprintable() or " " in model:
        sentence = _("Name the model as its provider does, without blanks.")
        raise Refused("model", "model", sentence)
    return model


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Refused("name", "name", _("A name has up to 80 letters and digits."))
    return name


def _checked_payer(account: Account, uid: str) -> str:
    if not uid:
        return ""
    try:
        return payer_of(account, uid).uid
    except NotThisPayer:
        sentence = _("There is no such payer in this account: choose another one.")
        raise Refused("payer_uid", "payer_unknown", sentence) from None


def _check_budget(micros: int) -> None:
    if not 0 < micros <= MOST_BUDGET:
        sentence = _("A budget is more than nothing and at most 100,000 EUR a month.")
        raise Refused("budget", "budget", sentence)
