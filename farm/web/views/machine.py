"""An agent's machine: another size, another place, a fresh one; and never mind."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from farm.accounts.models import Door
from farm.accounts.permissions import Action
from farm.agents import services
from farm.agents.models import Agent
from farm.agents.refusals import Refused
from farm.web.answers import refused_page
from farm.web.asking import MemberRequest, agent_asked_for, for_members
from farm.web.presenters.agents import portrait
from farm.web.presenters.machine import (
    ChangeCard,
    fresh_offer,
    own_price,
    place_words,
    region_cards,
    returning_age,
    size_cards,
)


@for_members
@require_GET
def machine(request: MemberRequest, uid: str) -> HttpResponse:
    """Where it lives, and everything that could be changed about that, each with its price."""
    return _page(request, agent_asked_for(request, uid, Action.MANAGE_AGENT))


@for_members
@require_POST
def resize(request: MemberRequest, uid: str) -> HttpResponse:
    """Another size; nothing is lost by it."""
    asked = agent_asked_for(request, uid, Action.MANAGE_AGENT)
    plan = request.POST.get("plan", "")
    if not _price_was_read(request, _card(size_cards(asked, request.user), plan)):
        return _page(request, asked, Refused("plan", "price_changed", _changed()))
    try:
        services.resize_agent(actor=request.user, door=Door.WEB, agent=asked, plan=plan)
    except Refused as refused:
        return _page(request, asked, refused)
    return redirect("agent", uid)


@for_members
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: MemberRequest, uid: str) -> HttpResponse:
    """What goes along to another place and what does not, or the deed."""
    asked = agent_asked_for(request, uid, Action.MANAGE_AGENT)
    sent = request.POST if request.method == "POST" else request.GET
    region = sent.get("region", "")
    card = _card(region_cards(asked, request.user), region)
    if request.method != "POST" and (card is None or card.is_own):
        return redirect("machine", uid)
    if request.method != "POST":
        return _confirm(request, asked, "agents/move.html", card)
    if not _price_was_read(request, card):
        return _confirm(request, asked, "agents/move.html", card, _changed())
    try:
        services.move_agent_to(actor=request.user, door=Door.WEB, agent=asked, region=region)
    except Refused as refused:
        return _page(request, asked, refused)
    return redirect("agent", uid)


@for_members
@require_http_methods(["GET", "HEAD", "POST"])
def rebuild(request: MemberRequest, uid: str) -> HttpResponse:
    """What a fresh machine has of the old one and what it has not, or the deed."""
    asked = agent_asked_for(request, uid, Action.MANAGE_AGENT)
    if request.method != "POST":
        return _confirm(request, asked, "agents/rebuild.html")
    try:
        services.rebuild_agent(actor=request.user, door=Door.WEB, agent=asked)
    except Refused as refused:
        return _confirm(request, asked, "agents/rebuild.html", error=str(refused.sentence))
    return redirect("agent", uid)


@for_members
@require_POST
def take_back(request: MemberRequest, uid: str) -> HttpResponse:
    """Never mind the change that is under way."""
    asked = agent_asked_for(request, uid, Action.MANAGE_AGENT)
    try:
        services.take_back_change(actor=request.user, door=Door.WEB, agent=asked)
    except Refused as refused:
        return refused_page(request, refused, uid)
    return redirect("agent", uid)


def _page(request: MemberRequest, asked: Agent, refused: Refused | None = None) -> HttpResponse:
    at_plan = refused is not None and refused.field == "plan"
    at_region = refused is not None and refused.field == "region"
    sentence = str(refused.sentence) if refused else ""
    context = {
        "agent": portrait(asked, request.user),
        "there": place_words(asked),
        "sizes": size_cards(asked, request.user),
        "regions": region_cards(asked, request.user),
        "price": own_price(asked),
        "plan_error": sentence if at_plan else "",
        "region_error": sentence if at_region else "",
        "error": "" if at_plan or at_region else sentence,
    }
    return render(request, "agents/machine.html", context, status=422 if refused else 200)


def _confirm(
    request: MemberRequest,
    asked: Agent,
    template: str,
    card: ChangeCard | None = None,
    error: str = "",
) -> HttpResponse:
    context = {
        "agent": portrait(asked, request.user),
        "card": card,
        "offer": card.offer if card else fresh_offer(asked),
        "price": own_price(asked),
        "age": returning_age(asked, timezone.now()),
        "error": error,
    }
    return render(request, template, context, status=422 if error else 200)


def _card(cards: tuple[ChangeCard, ...], key: str) -> ChangeCard | None:
    return next((card for card in cards if card.key == key), None)


def _price_was_read(request: MemberRequest, card: ChangeCard | None) -> bool:
    """Nobody buys at a price that rose between reading the button and pressing it."""
    seen = request.POST.get("seen", "")
    if card is None or card.offer is None or not seen.isdecimal():
        return True
    return int(card.offer.seen) <= int(seen)


def _changed() -> str:
    return gettext("The price has changed since you read it. It is on the button: press again.")
