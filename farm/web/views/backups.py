"""An agent's backups: the list, one now, an older state again, and back from its deletion."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from farm.accounts.models import Door
from farm.accounts.permissions import Action
from farm.agents import selectors, services
from farm.agents.models import Agent, Backup, BackupState
from farm.agents.refusals import Refused
from farm.web.answers import refused_page
from farm.web.asking import MemberRequest, agent_asked_for, for_members
from farm.web.presenters.agents import portrait
from farm.web.presenters.backups import backup_words
from farm.web.presenters.returning import return_words


@for_members
@require_GET
def backups(request: MemberRequest, uid: str) -> HttpResponse:
    """Everything that is kept of it, with what can be done; the list alone asks for itself."""
    asked = agent_asked_for(request, uid, Action.BACK_UP_AGENT)
    return _page(request, asked)


@for_members
@require_POST
def back_up(request: MemberRequest, uid: str) -> HttpResponse:
    """One now."""
    asked = agent_asked_for(request, uid, Action.BACK_UP_AGENT)
    try:
        services.back_up(actor=request.user, door=Door.WEB, agent=asked)
    except Refused as refused:
        return _page(request, asked, error=str(refused.sentence))
    return redirect("backups", uid)


@for_members
@require_http_methods(["GET", "HEAD", "POST"])
def restore(request: MemberRequest, uid: str, backup: str) -> HttpResponse:
    """What is lost by it, or the deed."""
    asked = agent_asked_for(request, uid, Action.RESTORE_AGENT)
    chosen = _kept(asked, backup)
    if request.method != "POST":
        words = backup_words(asked, timezone.now(), may_restore=True)
        line = next(line for line in words.lines if line.uid == chosen.uid)
        context = {"agent": portrait(asked, request.user), "line": line, "backups": words}
        return render(request, "agents/restore.html", context)
    try:
        services.restore_agent(actor=request.user, door=Door.WEB, agent=asked, backup=chosen)
    except Refused as refused:
        return refused_page(request, refused, uid)
    return redirect("agent", uid)


@for_members
@require_http_methods(["GET", "HEAD", "POST"])
def bring_back(request: MemberRequest, uid: str) -> HttpResponse:
    """A deleted agent again: its price and, where one is needed, its model key."""
    asked = agent_asked_for(request, uid, Action.RESTORE_AGENT)
    if selectors.kept_until(asked) is None:
        return redirect("agent", uid)
    if request.method != "POST":
        return _return_page(request, asked)
    try:
        services.bring_back(
            actor=request.user,
            door=Door.WEB,
            agent=asked,
            model_key=request.POST.get("model_key", ""),
        )
    except Refused as refused:
        return _return_page(request, asked, refused)
    return redirect("agent", uid)


def _kept(asked: Agent, uid: str) -> Backup:
    backup = asked.backups.filter(uid=uid, state=BackupState.KEPT).first()
    if backup is None:
        raise Http404(uid)
    return backup


def _page(request: MemberRequest, asked: Agent, error: str = "") -> HttpResponse:
    may_restore = selectors.may_with(request.user, asked, Action.RESTORE_AGENT)
    context = {
        "agent": portrait(asked, request.user),
        "backups": backup_words(asked, timezone.now(), may_restore=may_restore),
        "error": error,
    }
    name = "parts/backups.html" if request.htmx else "agents/backups.html"
    return render(request, name, context, status=422 if error else 200)


def _return_page(
    request: MemberRequest, asked: Agent, refused: Refused | None = None
) -> HttpResponse:
    at_key = refused is not None and refused.field == "model_key"
    sentence = str(refused.sentence) if refused else ""
    context = {
        "agent": portrait(asked, request.user),
        "back": return_words(asked, request.user),
        "error": "" if at_key else sentence,
        "key_error": sentence if at_key else "",
    }
    return render(request, "agents/bring_back.html", context, status=422 if refused else 200)
