"""Who asks, and for which agent: what every page needs first."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django_htmx.middleware import HtmxDetails

from farm.accounts.models import User
from farm.agents import selectors
from farm.agents.models import Agent

Rest = ParamSpec("Rest")


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


def agent_asked_for(request: MemberRequest, uid: str) -> Agent:
    """The agent, or 404: a stranger learns nothing, not even that it exists."""
    try:
        return selectors.agent_for(request.user, uid)
    except Agent.DoesNotExist:
        raise Http404(uid) from None
