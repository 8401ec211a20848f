"""Payers: one more, a limit for somebody, another payer for an agent."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action
from farm.accounts.selectors import members_of
from farm.agents import services
from farm.agents.models import Agent
from farm.agents.refusals import Refused
from farm.agents.selectors import paid_by, payers_of
from farm.billing.models import Payer
from farm.billing.services import add_payer, set_limit
from farm.web.asking import MemberRequest, account_asked_for, agent_asked_for, for_members
from farm.web.forms import LimitForm, PayerForm
from farm.web.views.money import payer_asked_for


@for_members
@require_POST
def new_payer(request: MemberRequest, uid: str) -> HttpResponse:
    """One more payer of the account."""
    account = account_asked_for(request, uid, Action.MANAGE_MONEY)
    name = request.POST.get("name", "")
    try:
        add_payer(actor=request.user, account=account, door=Door.WEB, name=name)
    except Refused as refused:
        messages.error(request, str(refused.sentence))
    return redirect("account_money", uid)


@for_members
@require_http_methods(["GET", "HEAD", "POST"])
def limit(request: MemberRequest, uid: str, username: str) -> HttpResponse:
    """What one member's agents may cost a payer in a month."""
    payer = payer_asked_for(request, uid)
    member = members_of(payer.account).filter(user__username=username).first()
    if member is None:
        return redirect("account_money", payer.account.uid)
    return _limit(request, payer, member.user)


@for_members
@require_http_methods(["GET", "HEAD", "POST"])
def limit_for_all(request: MemberRequest, uid: str) -> HttpResponse:
    """What all agents together may cost a payer in a month."""
    return _limit(request, payer_asked_for(request, uid), None)


@for_members
@require_http_methods(["GET", "HEAD", "POST"])
def agent_payer(request: MemberRequest, uid: str) -> HttpResponse:
    """Who pays for an agent, and from when somebody else does."""
    agent = agent_asked_for(request, uid, Action.PAY_AGENT)
    paid = paid_by(agent)
    form = PayerForm(
        request.POST or None,
        initial={"payer_uid": paid.payer.uid, "cost_centre": paid.cost_centre},
    )
    if request.method == "POST" and form.is_valid() and _changed(request, form, agent):
        return redirect("agent", uid)
    context = {"form": form, "agent": agent, "paid": paid, "payers": payers_of(agent.account)}
    return render(request, "money/agent_payer.html", context, status=422 if form.errors else 200)


def _limit(request: MemberRequest, payer: Payer, person: User | None) -> HttpResponse:
    form = LimitForm(request.POST or None, initial=LimitForm.of(payer, person))
    if request.method == "POST" and form.is_valid() and _limited(request, form, payer, person):
        messages.success(request, gettext("Noted. It counts from now on."))
        return redirect("account_money", payer.account.uid)
    context = {"form": form, "payer": payer, "person": person, "account": payer.account}
    return render(request, "money/limit.html", context, status=422 if form.errors else 200)


def _limited(request: MemberRequest, form: LimitForm, payer: Payer, person: User | None) -> bool:
    try:
        set_limit(
            actor=request.user, door=Door.WEB, payer=payer, person=person, micros=form.micros()
        )
    except Refused as refused:
        form.add_error("limit", str(refused.sentence))
        return False
    return True


def _changed(request: MemberRequest, form: PayerForm, agent: Agent) -> bool:
    sent = form.cleaned_data
    try:
        changed = services.change_payer(
            actor=request.user,
            door=Door.WEB,
            agent=agent,
            payer_uid=sent["payer_uid"],
            cost_centre=sent["cost_centre"],
            until=sent["until"],
        )
    except Refused as refused:
        field = refused.field if refused.field in form.fields else None
        form.add_error(field, str(refused.sentence))
        return False
    text = gettext("From %(at)s (UTC) on, %(payer)s pays for %(agent)s.")
    at = f"{changed.valid_from:%H:%M}"
    values = {"at": at, "payer": changed.payer.name, "agent": agent.name}
    messages.success(request, text % values)
    return True
