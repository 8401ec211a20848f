"""Reach it from my phone: a pasted bot token, a code sent to the bot, linked."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from farm.accounts.models import Door
from farm.accounts.permissions import Action
from farm.agents import services
from farm.agents.models import Agent
from farm.agents.refusals import Refused
from farm.web.asking import MemberRequest, agent_asked_for, for_members
from farm.web.presenters.agents import portrait
from farm.web.presenters.telegram import telegram_words


@for_members
@require_GET
def telegram(request: MemberRequest, uid: str) -> HttpResponse:
    """How the link stands now."""
    return _part(request, agent_asked_for(request, uid, Action.LINK_CHANNEL))


@for_members
@require_POST
def offer(request: MemberRequest, uid: str) -> HttpResponse:
    """A link from which the member makes a bot in Telegram itself."""
    asked = agent_asked_for(request, uid, Action.LINK_CHANNEL)
    try:
        services.offer_telegram(actor=request.user, door=Door.WEB, agent=asked)
    except Refused as refused:
        return _part(request, asked, error=str(refused.sentence))
    return _part(request, asked) if request.htmx else redirect("agent", uid)


@for_members
@require_POST
def link(request: MemberRequest, uid: str) -> HttpResponse:
    """A pasted token, checked with Telegram; a refusal is shown at the field."""
    asked = agent_asked_for(request, uid, Action.LINK_CHANNEL)
    token = request.POST.get("telegram_bot_token", "")
    try:
        services.link_telegram(actor=request.user, door=Door.WEB, agent=asked, bot_token=token)
    except Refused as refused:
        return _part(request, asked, error=str(refused.sentence))
    return _part(request, asked) if request.htmx else redirect("agent", uid)


@for_members
@require_POST
def unlink(request: MemberRequest, uid: str) -> HttpResponse:
    """The bot is taken away from the agent."""
    asked = agent_asked_for(request, uid, Action.CUT_OFF_CHANNEL)
    services.unlink_telegram(actor=request.user, door=Door.WEB, agent=asked)
    return _part(request, asked) if request.htmx else redirect("agent", uid)


def _part(request: MemberRequest, asked: Agent, error: str = "") -> HttpResponse:
    context = {
        "agent": portrait(asked, request.user),
        "telegram": telegram_words(asked),
        "telegram_error": error,
        "channel": "telegram",
    }
    name = "parts/telegram.html" if request.htmx else "agents/channel.html"
    return render(request, name, context, status=422 if error else 200)
