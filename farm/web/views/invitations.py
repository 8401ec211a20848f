"""Inviting somebody: one field is enough; a link is shown once, and never again."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_http_methods, require_POST

from farm.accounts.models import Account, Door
from farm.accounts.permissions import Action
from farm.accounts.services import revoke_invitation
from farm.agents import services
from farm.agents.refusals import Refused
from farm.web.asking import MemberRequest, account_asked_for, for_members
from farm.web.forms import InvitationForm
from farm.web.presenters.invitation_form import BEHIND_THE_FOLD, form_words
from farm.web.presenters.invitations import guest_words


@for_members
@require_http_methods(["GET", "HEAD", "POST"])
def new_invitation(request: MemberRequest, uid: str) -> HttpResponse:
    """The form, or what became of it; a refusal is shown at its field."""
    account = account_asked_for(request, uid, Action.MANAGE_PEOPLE)
    if request.method != "POST":
        return _page(request, account, InvitationForm())
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return _page(request, account, form)
    try:
        opened = services.invite(
            actor=request.user,
            door=Door.WEB,
            account=account,
            offer=form.offer(get_language() or "en"),
        )
    except Refused as refused:
        form.refuse(refused)
        return _page(request, account, form)
    if opened.invitation.email:
        said = gettext("The invitation is on its way to %(email)s.")
        messages.success(request, said % {"email": opened.invitation.email})
        return redirect("team", uid)
    context = {
        "account": account,
        "link": services.link_of(opened),
        "guest": guest_words(opened.invitation),
        "invitation": opened.invitation,
    }
    return render(request, "team/link.html", context)


@for_members
@require_POST
def revoke(request: MemberRequest, uid: str, invitation: str) -> HttpResponse:
    """Its link opens nothing any more."""
    account = account_asked_for(request, uid, Action.MANAGE_PEOPLE)
    found = account.invitations.filter(uid=invitation).first()
    if found is None:
        raise Http404(invitation)
    revoke_invitation(actor=request.user, door=Door.WEB, invitation=found)
    messages.success(request, gettext("The invitation is taken back."))
    return redirect("team", uid)


def _page(request: MemberRequest, account: Account, form: InvitationForm) -> HttpResponse:
    context = {
        "account": account,
        "form": form,
        "is_open": any(field in form.errors for field in BEHIND_THE_FOLD),
        **form_words(account, request.user, form),
    }
    return render(request, "team/invite.html", context, status=422 if form.errors else 200)
