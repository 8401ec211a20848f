"""Putting an agent to sleep, and waking it: from its page, or on the way to its console."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from farm.accounts.models import Door
from farm.accounts.permissions import Action
from farm.agents import selectors, services
from farm.agents.models import Agent, AgentPhase
from farm.agents.refusals import Refused
from farm.agents.selectors.prices import wake_quote
from farm.agents.services.prices import agree_to_price
from farm.billing.prices import Rate
from farm.web.answers import refused_page
from farm.web.asking import MemberRequest, agent_asked_for, for_members
from farm.web.presenters.agents import PageState, page_state, portrait
from farm.web.presenters.machine import asleep_words, change_title, wake_outlook, wake_words
from farm.web.presenters.progress import wait_words

TO_CONSOLE = "console"


@for_members
@require_POST
def stop(request: MemberRequest, uid: str) -> HttpResponse:
    """Put it to sleep."""
    asked = agent_asked_for(request, uid, Action.MANAGE_AGENT)
    try:
        services.stop_agent(actor=request.user, door=Door.WEB, agent=asked)
    except Refused as refused:
        return refused_page(request, refused, uid)
    return redirect("agent", uid)


@for_members
@require_http_methods(["GET", "HEAD", "POST"])
def wake(request: MemberRequest, uid: str) -> HttpResponse:
    """What waking costs, the deed, and the wait for it; from here it goes on into its console."""
    asked = agent_asked_for(request, uid, Action.MANAGE_AGENT)
    if request.method != "POST":
        return _page(request, asked)
    if not _price_was_read(request, asked):
        return _page(request, asked, error=_changed())
    try:
        services.wake_agent(
            actor=request.user, door=Door.WEB, agent=asked, agreed=_agreed(request, asked)
        )
    except Refused as refused:
        return _page(request, asked, error=str(refused.sentence))
    return redirect("wake_agent" if request.POST.get("then") == TO_CONSOLE else "agent", uid)


@for_members
@require_POST
def agree(request: MemberRequest, uid: str) -> HttpResponse:
    """Agree to what its machine costs by now, or is going to."""
    asked = agent_asked_for(request, uid, Action.MANAGE_AGENT)
    seen = request.POST.get("seen", "")
    try:
        agree_to_price(
            actor=request.user,
            door=Door.WEB,
            agent=asked,
            hourly_micros=int(seen) if seen.isdecimal() and len(seen) < 16 else 0,
        )
    except Refused as refused:
        return refused_page(request, refused, uid)
    return redirect("agent", uid)


def _page(request: MemberRequest, asked: Agent, error: str = "") -> HttpResponse:
    now = timezone.now()
    progress = selectors.progress_of(asked, now)
    state = page_state(asked, progress)
    if state not in (PageState.ASLEEP, PageState.CHANGING):
        return _onwards(request, asked)
    context = {
        "agent": portrait(asked, request.user),
        "state": state,
        "title": change_title(asked, progress),
        "wait": wait_words(progress),
        "asleep": asleep_words(asked, selectors.asleep_rate(asked), now),
        "wake": wake_words(asked),
        "outlook": wake_outlook(asked, request.user),
        "error": error,
    }
    return render(request, "agents/wake.html", context, status=422 if error else 200)


def _onwards(request: MemberRequest, asked: Agent) -> HttpResponse:
    """It is awake: into its console, for whoever may open it."""
    opens = selectors.may_with(request.user, asked, Action.OPEN_CONSOLE)
    awake = asked.phase == AgentPhase.RUNNING
    return redirect("open_agent" if opens and awake else "agent", asked.uid)


def _price_was_read(request: MemberRequest, asked: Agent) -> bool:
    """Nobody buys at a price that rose between reading the button and pressing it."""
    words, seen = wake_words(asked), request.POST.get("seen", "")
    return not seen.isdecimal() or words is None or int(words.seen) <= int(seen)


def _agreed(request: MemberRequest, asked: Agent) -> Rate | None:
    """The dearer price on the button, where somebody agreed to that."""
    quote = wake_quote(asked) if request.POST.get("dearer") else None
    return quote.awake if quote and quote.dearer else None


def _changed() -> str:
    return gettext("The price has changed since you read it. It is on the button: press again.")
