"""A new agent: its name, its role, one folded line, and a button that says the price."""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_GET, require_http_methods

from farm.accounts.models import Account, Door
from farm.accounts.selectors import account_chosen
from farm.accounts.services import account_of
from farm.agents import selectors, services
from farm.agents.models import Agent
from farm.agents.refusals import Refused
from farm.agents.selectors.outlook import outlook_of_new, wallet_for
from farm.billing.payers import default_payer
from farm.web.asking import MemberRequest, account_chosen_by, for_members
from farm.web.forms import WishForm
from farm.web.names import suggested_name
from farm.web.presenters.money_outlook import OutlookWords, outlook_words
from farm.web.presenters.offers import (
    Chosen,
    chosen_model,
    model_options,
    offer_words,
    plan_options,
    region_options,
    role_cards,
)

BEHIND_THE_FOLD = ("plan", "region", "model_provider", "model_key")


@for_members
@require_http_methods(["GET", "HEAD", "POST"])
def new_agent(request: MemberRequest) -> HttpResponse:
    """The question, or the agent on its way; a refusal is shown at its field."""
    if not selectors.has_room(request.user):
        return render(request, "agents/full.html", {"most": settings.AGENTS_PER_PERSON})
    if request.method != "POST":
        return _page(request, WishForm(initial=_beginning(request)))
    form = WishForm(request.POST)
    agent = _created(request, form)
    return redirect("agent", agent.uid) if agent else _page(request, form)


@for_members
@require_GET
def offer(request: MemberRequest) -> HttpResponse:
    """The button again, with the price of what is chosen now."""
    chosen = Chosen(
        request.GET.get("plan", ""),
        request.GET.get("region", ""),
        request.GET.get("model_provider", ""),
        _account(request),
    )
    return render(request, "parts/offer.html", {**_offer(request, chosen), "oob": True})


def _created(request: MemberRequest, form: WishForm) -> Agent | None:
    if not form.is_valid() or not _price_was_read(form):
        return None
    try:
        return services.create_agent(
            actor=request.user,
            account=account_of(user=request.user, chosen=account_chosen_by(request)),
            door=Door.WEB,
            wish=form.wish(get_language() or "en"),
        )
    except Refused as refused:
        form.refuse(refused)
        return None


def _price_was_read(form: WishForm) -> bool:
    """Nobody buys at a price that changed between reading the button and pressing it."""
    seen, quote = form.text("seen_hourly"), _chosen(form).quote
    if not seen or quote is None or seen == str(quote.hourly_micros):
        return True
    form.add_error(
        None, gettext("The price has changed since you read it. It is on the button: press again.")
    )
    return False


def _page(request: MemberRequest, form: WishForm) -> HttpResponse:
    account = _account(request)
    chosen = replace(_chosen(form), account=account)
    behind = any(field in form.errors for field in BEHIND_THE_FOLD) if form.is_bound else False
    context = {
        "form": form,
        "roles": role_cards(form.text("blueprint")),
        "plans": plan_options(chosen.plan_key),
        "regions": region_options(chosen.region_key),
        "models": model_options(chosen.model_key, account),
        "is_open": behind or chosen_model(chosen.model_key, account).needs_key,
        "paste_again": bool(form.is_bound and form.text("model_key")),
        **_offer(request, chosen),
    }
    return render(request, "agents/new.html", context, status=422 if form.errors else 200)


def _offer(request: MemberRequest, chosen: Chosen) -> dict[str, object]:
    quote = chosen.quote
    other = selectors.other_payer(request.user, account_chosen_by(request))
    return {
        "chosen": chosen,
        "offer": offer_words(quote) if quote else None,
        "other_payer": other,
        "outlook": _outlook(request, chosen),
    }


def _outlook(request: MemberRequest, chosen: Chosen) -> OutlookWords | None:
    """What it means for the wallet that would pay; None where there is none, or no price."""
    quote = chosen.quote
    if chosen.account is None or quote is None:
        return None
    wallet = wallet_for(default_payer(chosen.account), timezone.now())
    if wallet is None:
        return None
    found = outlook_of_new(wallet, *chosen.size_and_place, quote.rate)
    return outlook_words(found, request.user)


def _chosen(form: WishForm) -> Chosen:
    return Chosen(form.text("plan"), form.text("region"), form.text("model_provider"))


def _account(request: MemberRequest) -> Account | None:
    return account_chosen(request.user, account_chosen_by(request))


def _beginning(request: MemberRequest) -> dict[str, str]:
    """What the form begins with; another agent's files where a backup of it was chosen."""
    return {"name": _suggestion(request), "backup_uid": request.GET.get("backup", "")}


def _suggestion(request: MemberRequest) -> str:
    return suggested_name(selectors.agents_of(request.user).values_list("name", flat=True))
