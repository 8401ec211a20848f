"""Who asks, and for which thing; a stranger learns nothing, not even that it exists."""

from __future__ import annotations

from typing import cast

from django.http import Http404
from rest_framework.request import Request

from farm.accounts.models import Account, User
from farm.accounts.permissions import Action, demand
from farm.accounts.refusals import Refused
from farm.accounts.selectors import account_chosen, account_for
from farm.agents.models import Agent
from farm.agents.selectors import agent_for
from farm.billing.models import Payer


def person(request: Request) -> User:
    """Whose token it is."""
    return cast(User, request.user)


def agent_asked_for(request: Request, uid: str) -> Agent:
    """The agent, or 404."""
    try:
        return agent_for(person(request), uid)
    except Agent.DoesNotExist:
        raise Http404 from None


def account_asked_for(request: Request, uid: str) -> Account:
    """The account, or 404."""
    try:
        return account_for(person(request), uid)
    except Account.DoesNotExist:
        raise Http404 from None


def payer_asked_for(request: Request, uid: str, payer: str) -> Payer:
    """The account's payer, or 404; PermissionDenied for members who manage no money."""
    account = account_asked_for(request, uid)
    demand(person(request), Action.MANAGE_MONEY, account)
    found = account.payers.select_related("account").filter(uid=payer).first()
    if found is None:
        raise Http404
    return found


def account_named(request: Request, uid: str) -> Account:
    """The account that a body names, "" the person's first; Refused for one they are not in."""
    account = account_chosen(person(request), uid)
    if account is None or (uid and account.uid != uid):
        raise Refused("account", "account_unknown", "You are in no such account.")
    return account
