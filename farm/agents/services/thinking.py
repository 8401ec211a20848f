"""With whose model key a new agent thinks, and for how much a month."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Account, InvitationUse, User
from farm.accounts.permissions import Action, may
from farm.agents.model_keys import KeyVerdict, verdict_on
from farm.agents.models import SharedKey
from farm.agents.refusals import Refused
from farm.agents.selectors.choices import SANDBOX_PROVIDER, default_model_provider
from farm.agents.selectors.shared_keys import shared_keys_of
from farm.catalog import ModelProvider, catalog

LONGEST_KEY = 400
MOST_BUDGET = 100_000 * 1_000_000
"""Micro-euros a month; more is a slip of the finger."""


@dataclass(frozen=True, slots=True)
class Mind:
    """Who answers: a provider's model by a key of the member's own, or by a shared key.

    With a shared key `budget_micros` is what the relay lets it spend in a month, in micro-euros.
    """

    provider: str
    model: str
    own_key: str = field(default="", repr=False)
    shared_key: SharedKey | None = None
    budget_micros: int | None = None


@dataclass(frozen=True, slots=True)
class MindWish:
    """The part of a wish that says who answers; "" and None stand for the account's default."""

    model_provider: str = ""
    model_key: str = field(default="", repr=False)
    shared_key_uid: str = ""
    ai_budget_micros: int | None = None


def checked_mind(actor: User, account: Account, wish: MindWish) -> Mind:
    """Whose model answers, or Refused at a field. May ask the provider: no transaction here.

    Without a choice it is the account's first shared key, then the farm's first provider.
    """
    shared = shared_keys_of(account)
    if wish.shared_key_uid:
        return _shared(actor, shared.filter(uid=wish.shared_key_uid).first(), wish)
    if not wish.model_provider and not wish.model_key and (first := shared.first()):
        return _shared(actor, first, wish)
    return _own(wish)


def checked_text_of_key(key: str, provider: str) -> str:
    """The pasted key without blanks around it; Refused when it cannot be one of `provider`."""
    key = key.strip()
    if not key:
        sentence = format_lazy(_("Paste your key of {provider} here."), provider=provider)
        raise Refused("model_key", "model_key_missing", sentence)
    if len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable() or " " in key:
        raise key_refused(provider)
    return key


def key_refused(provider: str) -> Refused:
    """The provider, by its name, does not take the key."""
    text = _("{provider} refuses this key. Paste it again, or take another one.")
    return Refused("model_key", "model_key_refused", format_lazy(text, provider=provider))


def demand_known(provider: ModelProvider, key: str) -> KeyVerdict:
    """What the provider says of a key it knows; Refused for any other. Asks it over the network."""
    verdict = verdict_on(provider, key)
    if verdict is KeyVerdict.REFUSED:
        raise key_refused(provider.name)
    if verdict is KeyVerdict.UNREACHABLE:
        text = _(
            "{provider} did not answer, so the key could not be checked. Try again in a minute."
        )
        raise Refused("model_key", "model_unreachable", format_lazy(text, provider=provider.name))
    return verdict


def provider_called(key: str) -> ModelProvider:
    """The catalogue's provider with that key, or Refused."""
    shelf = catalog().models
    try:
        return shelf.get(key)
    except KeyError:
        text = _("There is no “{key}” here. Choose one of: {known}.")
        sentence = format_lazy(text, key=key[:40], known=", ".join(shelf.keys()))
        raise Refused("model_provider", "model_provider_unknown", sentence) from None


def _shared(actor: User, key: SharedKey | None, wish: MindWish) -> Mind:
    if key is None:
        sentence = _("This account has no such shared model key any more: choose another one.")
        raise Refused("shared_key_uid", "shared_key_unknown", sentence)
    budget = key.monthly_micros if wish.ai_budget_micros is None else wish.ai_budget_micros
    if not 0 < budget <= MOST_BUDGET:
        sentence = _("A budget is more than nothing and at most 100,000 EUR a month.")
        raise Refused("ai_budget_micros", "budget", sentence)
    if budget > key.monthly_micros and not _may_grant(actor, key, budget):
        sentence = _("Ask an owner of this account for a budget of more than the usual one.")
        raise Refused("ai_budget_micros", "budget_denied", sentence)
    return Mind(key.provider, key.model, shared_key=key, budget_micros=budget)


def _may_grant(actor: User, key: SharedKey, budget: int) -> bool:
    """Owners and admins set any budget; a member has what an invitation of theirs promised."""
    if may(actor, Action.MANAGE_KEYS, key.account):
        return True
    promised = InvitationUse.objects.filter(
        user=actor,
        invitation__account=key.account,
        invitation__shared_key_uid=key.uid,
        invitation__ai_budget_micros__gte=budget,
    )
    return promised.exists()


def _own(wish: MindWish) -> Mind:
    """A key without credit is a good key: its agent answers as soon as there is some."""
    chosen = wish.model_provider or default_model_provider()
    if chosen == SANDBOX_PROVIDER and settings.SANDBOX_MODEL_ENDPOINT:
        return Mind(SANDBOX_PROVIDER, settings.SANDBOX_MODEL)
    provider = provider_called(chosen)
    key = checked_text_of_key(wish.model_key, provider.name)
    demand_known(provider, key)
    return Mind(provider.key, provider.model, own_key=key)
