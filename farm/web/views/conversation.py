"""The conversation on an agent's page: reading it, saying something, saying it again."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from farm.accounts.models import Door
from farm.accounts.permissions import Action
from farm.agents import selectors, services
from farm.agents.models import Agent, Message
from farm.agents.refusals import Refused
from farm.web.answers import became_another_page, refused_page, refused_part
from farm.web.asking import MemberRequest, agent_asked_for, for_members
from farm.web.presenters.agents import AT_HOME, PageState, page_state, portrait
from farm.web.presenters.conversation import talk_of
from farm.web.views.agent import agent_page


@for_members
@require_GET
def conversation(request: MemberRequest, uid: str) -> HttpResponse:
    """What was said, if that is more than what the page has seen (204 if not)."""
    asked = agent_asked_for(request, uid, Action.READ_CONVERSATION)
    state = page_state(asked, selectors.progress_of(asked, timezone.now()))
    if state not in AT_HOME or state != request.GET.get("on", PageState.HOME):
        return became_another_page()
    if talk_of(asked).seen == request.GET.get("seen"):
        return HttpResponse(status=204)
    return _part(request, asked)


@for_members
@require_POST
def say(request: MemberRequest, uid: str) -> HttpResponse:
    """One line to the agent; its answer comes when the page asks again."""
    asked = agent_asked_for(request, uid, Action.SPEAK)
    text = request.POST.get("text", "")
    try:
        services.send_message(actor=request.user, door=Door.WEB, agent=asked, text=text)
    except Refused as refused:
        if request.htmx:
            return _refused(request, refused, uid)
        return agent_page(request, asked, typed=text, say_error=str(refused.sentence))
    return _part(request, asked) if request.htmx else redirect("agent", uid)


@for_members
@require_POST
def say_again(request: MemberRequest, uid: str, pk: int) -> HttpResponse:
    """A line that was not, or perhaps not, received."""
    asked = agent_asked_for(request, uid, Action.SPEAK)
    message = selectors.conversation_of(asked).filter(pk=pk).first()
    if message is None or message.author != Message.Author.MEMBER:
        raise Http404(pk)
    try:
        services.send_again(actor=request.user, door=Door.WEB, message=message)
    except Refused as refused:
        return _refused(request, refused, uid)
    return _part(request, asked) if request.htmx else redirect("agent", uid)


def _part(request: MemberRequest, asked: Agent) -> HttpResponse:
    state = page_state(asked, selectors.progress_of(asked, timezone.now()))
    context = {"agent": portrait(asked, request.user), "talk": talk_of(asked), "state": state}
    return render(request, "parts/conversation.html", context)


def _refused(request: MemberRequest, refused: Refused, uid: str) -> HttpResponse:
    if request.htmx:
        return refused_part(str(refused.sentence), target="#say_error")
    return refused_page(request, refused, uid)
