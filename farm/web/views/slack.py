"""Reach it from Slack: an app of the member's own, a code sent to its bot, linked."""

from __future__ import annotations

from dataclasses import dataclass

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
from farm.web.presenters.slack import slack_words


@dataclass(frozen=True, slots=True)
class Errors:
    """A sentence at each field, "" at one that is right."""

    bot: str = ""
    app: str = ""
    whole: str = ""


@for_members
@require_GET
def slack(request: MemberRequest, uid: str) -> HttpResponse:
    """How the link stands now."""
    return _part(request, agent_asked_for(request, uid, Action.LINK_CHANNEL))


@for_members
@require_POST
def link(request: MemberRequest, uid: str) -> HttpResponse:
    """Two pasted tokens, checked with Slack; a refusal is shown at its field."""
    asked = agent_asked_for(request, uid, Action.LINK_CHANNEL)
    bot_token, app_token = (
        request.POST.get(name, "") for name in ("slack_bot_token", "slack_app_token")
    )
    try:
        services.link_slack(
            actor=request.user,
            door=Door.WEB,
            agent=asked,
            bot_token=bot_token,
            app_token=app_token,
        )
    except Refused as refused:
        return _part(request, asked, _at_field(refused))
    return _part(request, asked) if request.htmx else redirect("agent", uid)


@for_members
@require_POST
def unlink(request: MemberRequest, uid: str) -> HttpResponse:
    """The app is taken away from the agent."""
    asked = agent_asked_for(request, uid)
    services.unlink_slack(actor=request.user, door=Door.WEB, agent=asked)
    return _part(request, asked) if request.htmx else redirect("agent", uid)


def _at_field(refused: Refused) -> Errors:
    sentence = str(refused.sentence)
    if refused.field == "slack_bot_token":
        return Errors(bot=sentence)
    return Errors(app=sentence) if refused.field == "slack_app_token" else Errors(whole=sentence)


def _part(request: MemberRequest, asked: Agent, errors: Errors | None = None) -> HttpResponse:
    context = {
        "agent": portrait(asked, request.user),
        "slack": slack_words(asked),
        "slack_errors": errors,
        "channel": "slack",
    }
    name = "parts/slack.html" if request.htmx else "agents/channel.html"
    return render(request, name, context, status=422 if errors else 200)
