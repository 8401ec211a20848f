"""The members of an account: another role, out, and out by oneself."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from farm.accounts.models import Account, Door, Membership, Role
from farm.accounts.permissions import Action
from farm.accounts.selectors import members_of
from farm.accounts.services import change_role
from farm.agents import services
from farm.agents.refusals import Refused
from farm.agents.selectors import living_agents_in
from farm.web.asking import MemberRequest, account_asked_for, for_members


@for_members
@require_POST
def role(request: MemberRequest, uid: str, username: str) -> HttpResponse:
    """What a member may do from now on."""
    account = account_asked_for(request, uid, Action.MANAGE_PEOPLE)
    membership = _member(account, username)
    wanted = request.POST.get("role", "")
    if wanted not in Role.values:
        raise Http404(wanted)
    try:
        change_role(actor=request.user, door=Door.WEB, membership=membership, role=Role(wanted))
    except Refused as refused:
        messages.error(request, str(refused.sentence))
    return redirect("team", uid)


@for_members
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: MemberRequest, uid: str, username: str) -> HttpResponse:
    """What becomes of their agents, and the deed."""
    account = account_asked_for(request, uid, Action.MANAGE_PEOPLE)
    membership = _member(account, username)
    if request.method != "POST":
        return _page(request, account, membership)
    try:
        services.remove_member(actor=request.user, door=Door.WEB, membership=membership)
    except Refused as refused:
        messages.error(request, str(refused.sentence))
        return redirect("team", uid)
    said = gettext("%(person)s is out of the account.")
    messages.success(request, said % {"person": membership.user.called})
    return redirect("team", uid)


@for_members
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: MemberRequest, uid: str) -> HttpResponse:
    """What becomes of one's agents, and the deed."""
    account = account_asked_for(request, uid, Action.LEAVE_ACCOUNT)
    if request.method != "POST":
        return _page(request, account, account.memberships.get(user=request.user))
    try:
        services.leave_account(actor=request.user, door=Door.WEB, account=account)
    except Refused as refused:
        messages.error(request, str(refused.sentence))
        return redirect("team", uid)
    messages.success(request, gettext("You have left %(account)s.") % {"account": account.name})
    return redirect("account")


def _member(account: Account, username: str) -> Membership:
    membership = members_of(account).filter(user__username=username).first()
    if membership is None:
        raise Http404(username)
    return membership


def _page(request: MemberRequest, account: Account, membership: Membership) -> HttpResponse:
    context = {
        "account": account,
        "person": membership.user,
        "is_me": membership.user_id == request.user.pk,
        "agents": living_agents_in(account, membership.user),
    }
    return render(request, "team/remove.html", context)
