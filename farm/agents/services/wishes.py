"""What a member asks for when they ask for an agent, checked before anything is made."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import Account, User
from farm.agents.clouds import regions
from farm.agents.models import Backup
from farm.agents.names import checked_name
from farm.agents.refusals import Refused
from farm.agents.selectors.money import Quote, offer_for
from farm.agents.services.backups import checked_backup
from farm.agents.services.thinking import Mind, MindWish, checked_mind
from farm.catalog import Blueprint, Item, Plan, Region, Shelf, catalog


@dataclass(frozen=True, slots=True)
class AgentWish:
    """What a member chose; "" stands for the catalogue's default.

    `payer_uid` is who pays its machine, "" the account's default payer; `cost_centre` is that
    payer's own word. `shared_key_uid` chooses a key that the account shares, then no model_provider
    or model_key is needed, and `ai_budget_micros` is what it may spend on AI in a month.
    `backup_uid` is another agent's backup, whose files it starts with.
    """

    name: str
    blueprint: str = ""
    plan: str = ""
    region: str = ""
    language: str = "en"
    model_provider: str = ""
    model_key: str = field(default="", repr=False)
    telegram_bot_token: str = field(default="", repr=False)
    payer_uid: str = ""
    cost_centre: str = ""
    shared_key_uid: str = ""
    ai_budget_micros: int | None = None
    backup_uid: str = ""


@dataclass(frozen=True, slots=True)
class CheckedWish:
    """A wish that can be fulfilled, with the price that is agreed to."""

    name: str
    blueprint: Blueprint
    plan: Plan
    region: Region
    language: str
    mind: Mind
    quote: Quote
    backup: Backup | None = None


def checked(actor: User, account: Account, wish: AgentWish) -> CheckedWish:
    """The wish in catalogue terms, or Refused. May ask the model provider: no transaction here."""
    name = checked_name(wish.name)
    shelves = catalog()
    blueprint = chosen(shelves.blueprints, wish.blueprint, "blueprint")
    plan = chosen(shelves.plans, wish.plan, "plan")
    region = chosen(regions(), wish.region, "region")
    quote = offer_for(plan.key, region.key)
    if quote is None:
        sentence = _("Its price is not known yet, so nothing is bought: try again in a minute.")
        raise Refused("plan", "price_unknown", sentence)
    mind = checked_mind(actor, account, _mind_of(wish))
    language = "fr" if wish.language.startswith("fr") else "en"
    backup = checked_backup(actor, account, wish.backup_uid) if wish.backup_uid else None
    return CheckedWish(name, blueprint, plan, region, language, mind, quote, backup)


def _mind_of(wish: AgentWish) -> MindWish:
    return MindWish(wish.model_provider, wish.model_key, wish.shared_key_uid, wish.ai_budget_micros)


def chosen(shelf: Shelf[Item], key: str, field: str) -> Item:
    """What was chosen from a shelf, its default for ""; Refused for what is not there."""
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
