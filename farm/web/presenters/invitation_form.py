"""The form of a new invitation: what can be chosen behind its fold, and what is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.formats import number_format
from django.utils.translation import get_language, gettext

from farm.accounts.models import Account, User
from farm.agents.selectors import payers_of, shared_keys_of
from farm.agents.services import OWN_KEY
from farm.billing.amounts import in_cents
from farm.catalog import catalog
from farm.web.forms import InvitationForm
from farm.web.presenters.offers import (
    Option,
    plan_options,
    region_options,
    role_cards,
)
from farm.web.presenters.team import roles_for

BEHIND_THE_FOLD = (
    "language",
    "role",
    "blueprint",
    "plan",
    "region",
    "payer_uid",
    "cost_centre",
    "shared_key_uid",
    "budget",
    "days",
    "most_uses",
)


def form_words(account: Account, reader: User, form: InvitationForm) -> dict[str, object]:
    """Every choice with its default, and the folded line that names them."""
    plans = plan_options(form.text("plan"))
    regions = region_options(form.text("region"))
    payers = _payers(account, form.text("payer_uid"))
    keys = _keys(account, form.text("shared_key_uid"))
    return {
        "member_roles": _roles(account, reader, form.text("role")),
        "blueprints": role_cards(form.text("blueprint")),
        "plans": plans,
        "regions": regions,
        "payers": payers,
        "keys": keys,
        "languages": _languages(form.text("language") or get_language() or "en"),
        "budget": form.text("budget") or _usual_budget(account),
        "days": form.text("days") or "14",
        "most_uses": form.text("most_uses") or "1",
        "currency": catalog().currency,
        "summary": " - ".join(_summary(plans, regions, payers, keys)),
    }


def _summary(
    plans: Sequence[Option],
    regions: Sequence[Option],
    payers: Sequence[Option],
    keys: Sequence[Option],
) -> tuple[str, ...]:
    paid = gettext("paid by %(payer)s") % {"payer": _chosen(payers)}
    thinks = gettext("AI: %(model)s") % {"model": _chosen(keys)}
    return _chosen(plans), _chosen(regions), paid, thinks


def _chosen(options: Sequence[Option]) -> str:
    return next((option.name for option in options if option.chosen), "")


def _payers(account: Account, sent: str) -> tuple[Option, ...]:
    payers = payers_of(account)
    key = sent or payers[0].uid
    return tuple(Option(payer.uid, payer.name, payer.uid == key) for payer in payers)


def _keys(account: Account, sent: str) -> tuple[Option, ...]:
    """The account's shared keys, and last that the guest brings their own."""
    every = [(key.uid, key.name) for key in shared_keys_of(account)]
    every.append((OWN_KEY, gettext("a key of their own")))
    key = sent or every[0][0]
    return tuple(Option(uid, name, uid == key) for uid, name in every)


def _roles(account: Account, reader: User, sent: str) -> tuple[Option, ...]:
    roles = roles_for(account, reader)
    key = sent or roles[0][0]
    return tuple(Option(role, name, role == key) for role, name in roles)


def _languages(chosen: str) -> tuple[Option, ...]:
    return tuple(
        Option(key, name, chosen.startswith(key))
        for key, name in (("en", "English"), ("fr", "Français"))
    )


def _usual_budget(account: Account) -> str:
    first = shared_keys_of(account).first()
    return number_format(in_cents(first.monthly_micros)) if first else ""
