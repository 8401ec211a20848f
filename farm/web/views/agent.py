"""One agent at its one address: the wait, its home, its failure, its end."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from farm.accounts.models import Door
from farm.accounts.permissions import Action
from farm.agents import selectors, services
from farm.agents.models import Agent, AgentPhase
from farm.agents.refusals import Refused
from farm.agents.selectors.changes import can_be_taken_back
from farm.agents.selectors.schedules import rhythm_of
from farm.web.answers import became_another_page, refused_page
from farm.web.asking import MemberRequest, agent_asked_for, for_members
from farm.web.presenters.accesses import access_lines, may_transfer
from farm.web.presenters.agents import (
    AT_HOME,
    PageState,
    cost_words,
    lived,
    month_sentence,
    page_state,
    portrait,
    ready_sentence,
)
from farm.web.presenters.ai import budget_words, credit_ways
from farm.web.presenters.backups import LeavingWords, backup_words, leaving_words
from farm.web.presenters.conversation import talk_of
from farm.web.presenters.machine import (
    asleep_words,
    change_title,
    place_words,
    price_words,
    returning_age,
    sleep_words,
    trouble_of,
    wake_outlook,
    wake_words,
)
from farm.web.presenters.progress import wait_words
from farm.web.presenters.rhythm import rhythm_words
from farm.web.presenters.slack import slack_words
from farm.web.presenters.telegram import telegram_words
from farm.web.presenters.whatsapp import whatsapp_words

TEMPLATES = {
    PageState.WAIT: "agents/wait.html",
    PageState.FAILED: "agents/failed.html",
    PageState.HOME: "agents/home.html",
    PageState.CHANGING: "agents/home.html",
    PageState.ASLEEP: "agents/home.html",
    PageState.LEAVING: "agents/leaving.html",
    PageState.GONE: "agents/gone.html",
}
TO_BE_WOKEN = (AgentPhase.STOPPED, AgentPhase.WAKING)
# What who answers for the account sees of an agent in place of what only its keeper reads.
OVERSEEN = dict.fromkeys((PageState.WAIT, PageState.FAILED, *AT_HOME), "agents/overseen.html")


@for_members
@require_GET
def agent(request: MemberRequest, uid: str) -> HttpResponse:
    """The page of the state it is in."""
    return agent_page(request, agent_asked_for(request, uid))


def agent_page(
    request: MemberRequest, asked: Agent, *, typed: str = "", say_error: str = ""
) -> HttpResponse:
    """The same, also for a line that was refused: what was typed stays."""
    now = timezone.now()
    progress = selectors.progress_of(asked, now)
    state = page_state(asked, progress)
    services.note_look(actor=request.user, door=Door.WEB, agent=asked)
    context = {
        **_always(request, asked, now),
        "state": state,
        "wait": wait_words(progress),
        "unfolded": state == PageState.WAIT,
        "typed": typed,
        "say_error": say_error,
        "trouble": trouble_of(progress),
        "title": change_title(asked, progress),
    }
    if state in AT_HOME:
        context |= _machine(request, asked, now)
    if state == PageState.FAILED:
        context["age"] = returning_age(asked, now)
    if not selectors.may_with(request.user, asked, Action.READ_CONVERSATION):
        return render(request, OVERSEEN.get(state, TEMPLATES[state]), context)
    if state in (*AT_HOME, PageState.FAILED):
        context["talk"] = talk_of(asked)
    return render(request, TEMPLATES[state], context, status=422 if say_error else 200)


@for_members
@require_GET
def progress(request: MemberRequest, uid: str) -> HttpResponse:
    """The lines of the wait again; the whole page once it has become another."""
    asked = agent_asked_for(request, uid)
    now = selectors.progress_of(asked, timezone.now())
    if page_state(asked, now) != request.GET.get("on"):
        return became_another_page()
    context = {
        "agent": portrait(asked, request.user),
        "wait": wait_words(now),
        "leaving": _leaving(asked, timezone.now()),
    }
    return render(request, "parts/progress.html", {**context, "state": request.GET["on"]})


@for_members
@require_POST
def retry(request: MemberRequest, uid: str) -> HttpResponse:
    """A failed agent starts again."""
    asked = agent_asked_for(request, uid)
    try:
        services.retry_agent(actor=request.user, door=Door.WEB, agent=asked)
    except Refused as refused:
        return refused_page(request, refused, uid)
    return redirect("agent", uid)


@for_members
@require_POST
def restart(request: MemberRequest, uid: str) -> HttpResponse:
    """A running agent's program is started anew on its machine."""
    asked = agent_asked_for(request, uid)
    try:
        services.restart_agent(actor=request.user, door=Door.WEB, agent=asked)
    except Refused as refused:
        return refused_page(request, refused, uid)
    return redirect("agent", uid)


@for_members
@require_GET
def open_agent(request: MemberRequest, uid: str) -> HttpResponse:
    """Its Control UI, on a host of its own; its token is in the address's fragment only."""
    asked = agent_asked_for(request, uid, Action.OPEN_CONSOLE)
    try:
        return redirect(selectors.open_url_of(asked, request.user))
    except Agent.DoesNotExist:
        return redirect("agent", uid)


def _leaving(asked: Agent, now: datetime) -> LeavingWords | None:
    """What becomes of what it has, while it is being deleted."""
    leaves = asked.wanted == Agent.Wanted.DELETED and asked.phase != AgentPhase.DELETED
    return leaving_words(asked, now, settings.BACKUP_AFTER_DELETION_DAYS) if leaves else None


def _machine(request: MemberRequest, asked: Agent, now: datetime) -> dict[str, object]:
    """Where it lives, its sleep, and when that comes by itself."""
    return {
        "there": place_words(asked),
        "sleep": sleep_words(asked, now),
        "asleep": asleep_words(asked, selectors.asleep_rate(asked), now),
        "price": price_words(asked, now),
        "wake": wake_words(asked) if asked.phase in TO_BE_WOKEN else None,
        "outlook": wake_outlook(asked, request.user) if asked.phase in TO_BE_WOKEN else None,
        "rhythm": rhythm_words(rhythm_of(asked, now), now),
        "takes_back": can_be_taken_back(asked),
    }


def _always(request: MemberRequest, asked: Agent, now: datetime) -> dict[str, object]:
    may_restore = selectors.may_with(request.user, asked, Action.RESTORE_AGENT)
    return {
        "agent": portrait(asked, request.user),
        "cost": cost_words(asked, request.user, now),
        "events": selectors.events_of(asked),
        "ready": ready_sentence(asked),
        "month": month_sentence(asked, now),
        "lived": lived(asked, now),
        "asked": asked,
        "accesses": access_lines(asked),
        "may_transfer": may_transfer(request.user, asked),
        "silence": selectors.silence_of(asked),
        "backups": backup_words(asked, now, may_restore=may_restore),
        "may_restore": may_restore,
        "kept_until": selectors.kept_until(asked),
        "leaving": _leaving(asked, now),
        "telegram": telegram_words(asked),
        "slack": slack_words(asked),
        "whatsapp": whatsapp_words(asked),
        "ai": budget_words(asked, request.user),
        "shared_keys": credit_ways(asked),
    }
