"""Who asks, and for which agent: what every page needs first."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django_htmx.middleware import HtmxDetails

from farm.accounts.models import Account, User
from farm.accounts.permissions import Action, demand
from farm.accounts.selectors import account_for
from farm.agents import selectors
from farm.agents.models import Agent

Rest = ParamSpec("Rest")
CHOSEN_ACCOUNT = "account"


class MemberRequest(HttpRequest):
    """A request of somebody who is logged in."""

    user: User
    htmx: HtmxDetails


View = Callable[Concatenate[MemberRequest, Rest], HttpResponse]


def for_members(view: View[Rest]) -> Callable[Concatenate[HttpRequest, Rest], HttpResponse]:
    """Send everybody else to the log-in page, and back here afterwards.

    A part of a page that asks for itself makes the whole page go there.
    """

    @wraps(view)
    def seen(request: HttpRequest, /, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
        if request.user.is_authenticated:
            return view(cast(MemberRequest, request), *args, **kwargs)
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        return redirect_to_login(request.get_full_path(), resolve_url("account_login"))

    return seen


def agent_asked_for(request: MemberRequest, uid: str, action: Action = Action.SEE_AGENT) -> Agent:
    """The agent, or 404: a stranger learns nothing, not even that it exists.

    403 for who may see it, and may not do this with it.
    """
    try:
        agent = selectors.agent_for(request.user, uid)
    except Agent.DoesNotExist:
        raise Http404(uid) from None
    if not selectors.may_with(request.user, agent, action):
        raise PermissionDenied(action)
    return agent


def account_asked_for(
    request: MemberRequest, uid: str, action: Action = Action.SEE_ACCOUNT
) -> Account:
    """The account, or 404 for who is not in it; 403 for members who may not do this there."""
    try:
        account = account_for(request.user, uid)
    except Account.DoesNotExist:
        raise Http404(uid) from None
    demand(request.user, action, account)
    return account


def account_chosen_by(request: MemberRequest) -> str:
    """The uid of the account that the person switched to, "" before they did."""
    return str(request.session.get(CHOSEN_ACCOUNT, ""))


def choose_account(request: MemberRequest, account: Account) -> None:
    """From now on the person acts for this one."""
    request.session[CHOSEN_ACCOUNT] = account.uid
