"""Accounts: the page of one with its people, going from one to another, opening and naming them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from farm.accounts.models import Account, Door
from farm.accounts.permissions import Action
from farm.accounts.services import open_account, rename_account
from farm.agents.refusals import Refused
from farm.web.asking import MemberRequest, account_asked_for, choose_account, for_members
from farm.web.presenters.team import team_words


@for_members
@require_GET
def team(request: MemberRequest, uid: str) -> HttpResponse:
    """Who is in it, and who is invited."""
    return team_page(request, account_asked_for(request, uid))


@for_members
@require_POST
def switch(request: MemberRequest, uid: str) -> HttpResponse:
    """From now on new agents are made in this account, and its agents are listed."""
    choose_account(request, account_asked_for(request, uid))
    return redirect("agents")


@for_members
@require_POST
def rename(request: MemberRequest, uid: str) -> HttpResponse:
    """What the account is called."""
    account = account_asked_for(request, uid, Action.RENAME_ACCOUNT)
    name = request.POST.get("name", "")
    try:
        rename_account(actor=request.user, door=Door.WEB, account=account, name=name)
    except Refused as refused:
        return team_page(request, account, name=name, name_error=str(refused.sentence))
    messages.success(request, gettext("Noted."))
    return redirect("team", uid)


@for_members
@require_POST
def new_account(request: MemberRequest) -> HttpResponse:
    """A further account of this person."""
    try:
        opened = open_account(actor=request.user, door=Door.WEB, name=request.POST.get("name", ""))
    except Refused as refused:
        messages.error(request, str(refused.sentence))
        return redirect("account")
    choose_account(request, opened)
    return redirect("team", opened.uid)


def team_page(
    request: MemberRequest, account: Account, *, name: str = "", name_error: str = ""
) -> HttpResponse:
    """The page, with what was typed and why it was not taken."""
    context = {
        "team": team_words(account, request.user),
        "name": name or account.name,
        "name_error": name_error,
    }
    return render(request, "team/team.html", context, status=422 if name_error else 200)
