"""The page of a new agent: what can be chosen, and what the button says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import get_language, gettext

from farm.accounts.models import Account
from farm.agents import selectors
from farm.agents.models import SharedKey
from farm.agents.selectors import ModelChoice, Quote
from farm.billing.amounts import at_most, per_hour
from farm.catalog import Item, Plan, Region, Shelf, Words, catalog

SHARED = "shared:"
"""What stands before a shared key's uid among the choices of a model."""


@dataclass(frozen=True, slots=True)
class OfferWords:
    """A price in words; `seen` comes back with the form and says which price was read."""

    hourly: str
    most: str
    seen: str


@dataclass(frozen=True, slots=True)
class Option:
    """One radio button."""

    key: str
    name: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class RoleCard:
    """One kind of agent: what it does, and what it may do."""

    key: str
    name: str
    card: str
    may: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class ModelOption:
    """One model provider; those that need no key hide the key's field."""

    key: str
    name: str
    hint: str
    needs_key: bool
    chosen: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """The folded line: size, place, whose AI; keys as in the catalogue, "" for its default."""

    plan_key: str
    region_key: str
    model_key: str
    account: Account | None = None

    @property
    def plan(self) -> str:
        """The size in words."""
        return spoken(_plan(self.plan_key).name)

    @property
    def region(self) -> str:
        """The place in words."""
        return spoken(_region(self.region_key).name)

    @property
    def size_and_place(self) -> tuple[str, str]:
        """The keys of plan and region, the defaults where nothing known was chosen."""
        return _plan(self.plan_key).key, _region(self.region_key).key

    @property
    def model(self) -> str:
        """Whose AI, in words."""
        return chosen_model(self.model_key, self.account).name

    @property
    def is_shared(self) -> bool:
        """Whether somebody else provides the AI: its words say so themselves."""
        return chosen_model(self.model_key, self.account).key.startswith(SHARED)

    @property
    def quote(self) -> Quote | None:
        """Its price, or None while it is not known."""
        return selectors.offer_for(_plan(self.plan_key).key, _region(self.region_key).key)


def spoken(words: Words) -> str:
    """The text in the language of the page."""
    return words.in_language(get_language() or "en")


def offer_words(quote: Quote) -> OfferWords:
    """What the button says."""
    return OfferWords(
        hourly=per_hour(quote.hourly_micros, quote.currency),
        most=at_most(quote.at_most_monthly_micros, quote.currency),
        seen=str(quote.hourly_micros),
    )


def role_cards(chosen: str) -> tuple[RoleCard, ...]:
    """Every blueprint; the catalogue's default is chosen when nothing is."""
    shelf = catalog().blueprints
    key = _taken(shelf, chosen).key
    return tuple(
        RoleCard(item.key, spoken(item.name), spoken(item.card), spoken(item.may), item.key == key)
        for item in shelf.items
    )


def plan_options(chosen: str) -> tuple[Option, ...]:
    """Every size; the button says the price of the one that is chosen."""
    key = _plan(chosen).key
    return tuple(
        Option(item.key, spoken(item.name), item.key == key) for item in catalog().plans.items
    )


def region_options(chosen: str) -> tuple[Option, ...]:
    """Every place."""
    key = _region(chosen).key
    return tuple(
        Option(item.key, spoken(item.name), item.key == key) for item in selectors.regions().items
    )


def model_options(chosen: str, account: Account | None = None) -> tuple[ModelOption, ...]:
    """What the account shares first, then every model provider, the farm's first choice on top."""
    key = chosen_model(chosen, account).key
    return tuple(
        ModelOption(choice.key, choice.name, _key_hint(choice), choice.needs_key, choice.key == key)
        for choice in _choices(account)
    )


def chosen_model(key: str, account: Account | None = None) -> ModelChoice:
    """The choice with that key, else the first."""
    choices = _choices(account)
    return next((choice for choice in choices if choice.key == key), choices[0])


def _choices(account: Account | None) -> Sequence[ModelChoice]:
    own = selectors.model_choices(get_language() or "en")
    shared = selectors.shared_keys_of(account) if account else ()
    return [*(_shared_choice(key) for key in shared), *own]


def _shared_choice(key: SharedKey) -> ModelChoice:
    lender = gettext("AI from %(payer)s") % {"payer": selectors.lender_of(key)}
    budget = at_most(key.monthly_micros, catalog().currency)
    hint = gettext("Up to %(budget)s a month") % {"budget": budget}
    return ModelChoice(SHARED + key.uid, f"{lender}: {key.name}", hint, needs_key=False)


def _key_hint(choice: ModelChoice) -> str:
    return (
        gettext("Your key: %(hint)s") % {"hint": choice.hint} if choice.needs_key else choice.hint
    )


def _plan(key: str) -> Plan:
    return _taken(catalog().plans, key)


def _region(key: str) -> Region:
    return _taken(selectors.regions(), key)


def _taken(shelf: Shelf[Item], key: str) -> Item:
    """What was chosen; the shelf's default when nothing known was."""
    try:
        return shelf.get(key)
    except KeyError:
        return shelf.default
