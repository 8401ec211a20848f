"""Deleting an agent: what is lost is named before anything is."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from farm.accounts.models import Door
from farm.agents import selectors, services
from farm.agents.models import Agent
from farm.web.asking import MemberRequest, agent_asked_for, for_members
from farm.web.presenters.agents import cost_words, portrait
from farm.web.presenters.backups import leaving_words
from farm.web.presenters.telegram import telegram_words


@for_members
@require_http_methods(["GET", "HEAD", "POST"])
def delete_agent(request: MemberRequest, uid: str) -> HttpResponse:
    """The confirmation, or the deed once its box is ticked."""
    asked = agent_asked_for(request, uid)
    if asked.wanted == Agent.Wanted.DELETED:
        return redirect("agent", uid)
    if request.method != "POST":
        return _page(request, asked)
    if not request.POST.get("sure"):
        return _page(
            request,
            asked,
            error=gettext("Tick the box first: what is on its machine goes with it."),
        )
    services.delete_agent(actor=request.user, door=Door.WEB, agent=asked)
    return redirect("agent", uid)


@for_members
@require_POST
def save_again(request: MemberRequest, uid: str) -> HttpResponse:
    """The backup before the deletion is tried once more."""
    asked = agent_asked_for(request, uid)
    services.save_again(actor=request.user, door=Door.WEB, agent=asked)
    return redirect("agent", uid)


@for_members
@require_POST
def delete_unsaved(request: MemberRequest, uid: str) -> HttpResponse:
    """A deletion that waits for the member's word goes on without a backup."""
    asked = agent_asked_for(request, uid)
    if selectors.waits_for_word(asked, timezone.now()):
        services.delete_agent(actor=request.user, door=Door.WEB, agent=asked, without_backup=True)
    return redirect("agent", uid)


def _page(request: MemberRequest, asked: Agent, error: str = "") -> HttpResponse:
    context = {
        "agent": portrait(asked, request.user),
        "lines": selectors.conversation_of(asked).count(),
        "telegram": telegram_words(asked),
        "cost": cost_words(asked, request.user, timezone.now()),
        "leaving": leaving_words(asked, timezone.now(), settings.BACKUP_AFTER_DELETION_DAYS),
        "error": error,
    }
    return render(request, "agents/delete.html", context, status=422 if error else 200)
