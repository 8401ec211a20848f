"""The road of an invited person: what is offered, who they are, one question."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_http_methods

from farm.accounts.models import Door, Invitation, User
from farm.accounts.selectors import (
    InvitationState,
    agent_made_with,
    has_person,
    invitation_opened,
    invitation_pending,
    invitation_state,
)
from farm.accounts.services import prove_by_mail
from farm.agents import services
from farm.agents.refusals import Refused
from farm.web.asking import MemberRequest, choose_account, for_members
from farm.web.entrance import PENDING, come_in
from farm.web.forms import AnswerForm
from farm.web.names import suggested_name
from farm.web.presenters.invitations import guest_words, question_words, trouble_words


@require_GET
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """The link itself: it is kept in the session, and leaves the address before a page is shown.

    So it stands in no Referer, and nobody reads it over a shoulder.
    """
    try:
        request.session[PENDING] = invitation_opened(token).uid
    except Invitation.DoesNotExist:
        raise Http404 from None
    response = redirect("invitation")
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest) -> HttpResponse:
    """Who invites, who pays, and a button; or why there is nothing to be had any more."""
    found = _pending(request)
    if (answer := _in_the_way(request, found)) is not None:
        return answer
    if request.method != "POST":
        return render(request, "invitation/offer.html", {"guest": guest_words(found)})
    if not request.user.is_authenticated:
        language = get_language() or "en"
        newcomer = prove_by_mail(invitation=found, door=Door.WEB, language=language)
        if newcomer is None:
            return redirect("invitation_who")
        come_in(request, newcomer)
    return redirect("invitation_agent")


@require_GET
def who(request: HttpRequest) -> HttpResponse:
    """Their address, and a code sent to it."""
    found = _pending(request)
    if (answer := _in_the_way(request, found)) is not None:
        return answer
    if request.user.is_authenticated:
        return redirect("invitation_agent")
    context = {"guest": guest_words(found), "is_known": has_person(found.email)}
    return render(request, "invitation/who.html", context)


@for_members
@require_http_methods(["GET", "HEAD", "POST"])
def agent(request: MemberRequest) -> HttpResponse:
    """The one question, and the answer."""
    found = _pending(request)
    if (answer := _in_the_way(request, found)) is not None:
        return answer
    if request.method != "POST":
        return _question(request, found, AnswerForm(initial={"name": suggested_name(())}))
    if request.POST.get("only_join"):
        return _joined(request, found)
    return _answered(request, found, AnswerForm(request.POST))


def _answered(request: MemberRequest, found: Invitation, form: AnswerForm) -> HttpResponse:
    if not form.is_valid():
        return _question(request, found, form)
    try:
        made = services.accept_invitation(
            actor=request.user,
            door=Door.WEB,
            invitation=found,
            answer=form.answer(get_language() or "en"),
        )
    except Refused as refused:
        found.refresh_from_db()
        if (answer := _in_the_way(request, found)) is not None:
            return answer
        form.refuse(refused)
        return _question(request, found, form)
    _done(request, found)
    return redirect("agent", made.uid)


def _joined(request: MemberRequest, found: Invitation) -> HttpResponse:
    try:
        services.join_account(actor=request.user, door=Door.WEB, invitation=found)
    except Refused:
        return redirect("invitation")
    _done(request, found)
    return redirect("agents")


def _done(request: MemberRequest, found: Invitation) -> None:
    request.session.pop(PENDING, None)
    choose_account(request, found.account)


def _question(request: MemberRequest, found: Invitation, form: AnswerForm) -> HttpResponse:
    context = {"form": form, "guest": guest_words(found), **question_words(found, form)}
    return render(request, "invitation/agent.html", context, status=422 if form.errors else 200)


def _pending(request: HttpRequest) -> Invitation:
    found = invitation_pending(str(request.session.get(PENDING, "")))
    if found is None:
        raise Http404
    return found


def _in_the_way(request: HttpRequest, found: Invitation) -> HttpResponse | None:
    """The page of an invitation that is not open to this person; None for one that is."""
    user = request.user if isinstance(request.user, User) else None
    state = invitation_state(found, user, timezone.now())
    if state == InvitationState.OPEN:
        return None
    if state == InvitationState.TAKEN_UP and user and (uid := agent_made_with(found, user)):
        return redirect("agent", uid)
    context = {"trouble": trouble_words(state, found, user), "invitation": found}
    return render(request, "invitation/trouble.html", context, status=410)
