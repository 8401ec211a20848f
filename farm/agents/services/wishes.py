"""What a member asks for when they ask for an agent, checked before anything is made."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from farm.agents.model_keys import KeyVerdict, verdict_on
from farm.agents.names import checked_name
from farm.agents.refusals import Refused
from farm.agents.selectors.choices import SANDBOX_PROVIDER, default_model_provider
from farm.agents.selectors.money import Quote, offer_for
from farm.catalog import Blueprint, Item, ModelProvider, Plan, Region, Shelf, catalog

LONGEST_KEY = 400


@dataclass(frozen=True, slots=True)
class AgentWish:
    """What a member chose; "" stands for the catalogue's default."""

    name: str
    blueprint: str = ""
    plan: str = ""
    region: str = ""
    language: str = "en"
    model_provider: str = ""
    model_key: str = field(default="", repr=False)
    telegram_bot_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class CheckedWish:
    """A wish that can be fulfilled, with the price that is agreed to."""

    name: str
    blueprint: Blueprint
    plan: Plan
    region: Region
    language: str
    model_provider: str
    model: str
    model_key: str = field(repr=False)
    quote: Quote


def checked(wish: AgentWish) -> CheckedWish:
    """The wish in catalogue terms, or Refused. May ask the model provider: no transaction here."""
    name = checked_name(wish.name)
    shelves = catalog()
    blueprint = _chosen(shelves.blueprints, wish.blueprint, "blueprint")
    plan = _chosen(shelves.plans, wish.plan, "plan")
    region = _chosen(shelves.regions, wish.region, "region")
    quote = offer_for(plan.key, region.key)
    if quote is None:
        sentence = _("Its price is not known yet, so nothing is bought: try again in a minute.")
        raise Refused("plan", "price_unknown", sentence)
    provider, model, key = _checked_model(wish)
    language = "fr" if wish.language.startswith("fr") else "en"
    return CheckedWish(name, blueprint, plan, region, language, provider, model, key, quote)


def _chosen(shelf: Shelf[Item], key: str, field: str) -> Item:
    if not key:
        return shelf.default
    try:
        return shelf.get(key)
    except KeyError:
        sentence = format_lazy(
            _("There is no “{key}” here. Choose one of: {known}."),
            key=key[:40],
            known=", ".join(shelf.keys()),
        )
        raise Refused(field, f"{field}_unknown", sentence) from None


def _checked_model(wish: AgentWish) -> tuple[str, str, str]:
    """(provider, model, key); the sandbox's own model needs no key."""
    chosen = wish.model_provider or default_model_provider()
    if chosen == SANDBOX_PROVIDER and settings.SANDBOX_MODEL_ENDPOINT:
        return SANDBOX_PROVIDER, settings.SANDBOX_MODEL, ""
    provider = _chosen(catalog().models, chosen, "model_provider")
    key = wish.model_key.strip()
    if not key:
        sentence = format_lazy(_("Paste your key of {provider} here."), provider=provider.name)
        raise Refused("model_key", "model_key_missing", sentence)
    if len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable() or " " in key:
        raise _key_refused(provider)
    _ask_about(provider, key)
    return provider.key, provider.model, key


def _ask_about(provider: ModelProvider, key: str) -> None:
    verdict = verdict_on(provider, key)
    if verdict is KeyVerdict.REFUSED:
        raise _key_refused(provider)
    if verdict is KeyVerdict.NO_CREDIT:
        text = _(
            "{provider} takes this key, but its account has no credit: add some, then try again."
        )
        raise Refused("model_key", "model_no_credit", format_lazy(text, provider=provider.name))
    if verdict is KeyVerdict.UNREACHABLE:
        text = _(
            "{provider} did not answer, so the key could not be checked. Try again in a minute."
        )
        raise Refused("model_key", "model_unreachable", format_lazy(text, provider=provider.name))


def _key_refused(provider: ModelProvider) -> Refused:
    text = _("{provider} refuses this key. Paste it again, or take another one.")
    sentence = format_lazy(text, provider=provider.name)
    return Refused("model_key", "model_key_refused", sentence)
