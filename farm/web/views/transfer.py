"""Handing an agent over to another member."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action, may
from farm.accounts.selectors import members_of
from farm.agents import services
from farm.agents.models import Agent
from farm.agents.refusals import Refused
from farm.web.asking import MemberRequest, agent_asked_for, for_members
from farm.web.presenters.agents import portrait


@for_members
@require_http_methods(["GET", "HEAD", "POST"])
def transfer_agent(request: MemberRequest, uid: str) -> HttpResponse:
    """Who gets it, or the deed."""
    asked = agent_asked_for(request, uid, Action.TRANSFER_AGENT)
    if request.method != "POST":
        return _page(request, asked)
    try:
        to = _chosen(asked, request.POST.get("to", ""))
        services.transfer_agent(actor=request.user, door=Door.WEB, agent=asked, to=to)
    except Refused as refused:
        return _page(request, asked, error=str(refused.sentence))
    said = gettext("%(agent)s works for %(person)s now.")
    messages.success(request, said % {"agent": asked.name, "person": to.called})
    return redirect("agent", uid) if to.pk == request.user.pk else redirect("agents")


def _chosen(asked: Agent, username: str) -> User:
    membership = members_of(asked.account).filter(user__username=username).first()
    if membership is None:
        raise Refused("to", "to", gettext("Choose who gets it."))
    return membership.user


def _page(request: MemberRequest, asked: Agent, error: str = "") -> HttpResponse:
    others = members_of(asked.account).exclude(user=asked.owner)
    context = {
        "agent": portrait(asked, request.user),
        "members": [membership.user for membership in others],
        "account": asked.account,
        "may_invite": may(request.user, Action.MANAGE_PEOPLE, asked.account),
        "error": error,
    }
    return render(request, "agents/transfer.html", context, status=422 if error else 200)
