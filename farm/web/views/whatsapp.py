"""Reach it from WhatsApp: the member's number, a code to scan that changes, linked, unlinked."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from farm.accounts.models import Door
from farm.accounts.permissions import Action
from farm.agents import services
from farm.agents.models import Agent
from farm.agents.refusals import Refused
from farm.web.asking import MemberRequest, agent_asked_for, for_members
from farm.web.presenters.agents import portrait
from farm.web.presenters.whatsapp import picture_of, whatsapp_words


@for_members
@require_GET
def whatsapp(request: MemberRequest, uid: str) -> HttpResponse:
    """How the link stands, if that is other than what the page has seen (204 if not)."""
    asked = agent_asked_for(request, uid, Action.LINK_CHANNEL)
    if request.htmx and whatsapp_words(asked).mark == request.GET.get("seen"):
        return HttpResponse(status=204)
    return _part(request, asked)


@for_members
@require_GET
def code(request: MemberRequest, uid: str) -> HttpResponse:
    """The picture to scan, for the member's eyes only: whoever scans it is linked."""
    asked = agent_asked_for(request, uid, Action.LINK_CHANNEL)
    try:
        return HttpResponse(picture_of(asked), content_type="image/png")
    except LookupError:
        raise Http404(uid) from None


@for_members
@require_POST
def link(request: MemberRequest, uid: str) -> HttpResponse:
    """The member's own number; one that is none is told at its field and stays there."""
    asked = agent_asked_for(request, uid, Action.LINK_CHANNEL)
    number = request.POST.get("whatsapp_number", "")
    try:
        services.link_whatsapp(actor=request.user, door=Door.WEB, agent=asked, number=number)
    except Refused as refused:
        return _part(request, asked, error=str(refused.sentence), typed=number[:40])
    return _part(request, asked) if request.htmx else redirect("agent", uid)


@for_members
@require_POST
def renew(request: MemberRequest, uid: str) -> HttpResponse:
    """Another code to scan."""
    asked = agent_asked_for(request, uid, Action.LINK_CHANNEL)
    try:
        services.renew_whatsapp(actor=request.user, door=Door.WEB, agent=asked)
    except Refused as refused:
        return _part(request, asked, error=str(refused.sentence))
    return _part(request, asked) if request.htmx else redirect("agent", uid)


@for_members
@require_POST
def unlink(request: MemberRequest, uid: str) -> HttpResponse:
    """The account is logged out on the machine and forgotten."""
    asked = agent_asked_for(request, uid)
    services.unlink_whatsapp(actor=request.user, door=Door.WEB, agent=asked)
    return _part(request, asked) if request.htmx else redirect("agent", uid)


def _part(request: MemberRequest, asked: Agent, error: str = "", typed: str = "") -> HttpResponse:
    context = {
        "agent": portrait(asked, request.user),
        "whatsapp": whatsapp_words(asked),
        "whatsapp_error": error,
        "whatsapp_typed": typed,
        "channel": "whatsapp",
    }
    name = "parts/whatsapp.html" if request.htmx else "agents/channel.html"
    return render(request, name, context, status=422 if error else 200)
