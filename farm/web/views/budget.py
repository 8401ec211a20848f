"""What an agent may spend on AI: seen and asked for by its keeper, granted by who pays."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from farm.accounts.models import Door
from farm.accounts.permissions import Action
from farm.agents import services
from farm.agents.models import Agent, BudgetRequest
from farm.agents.refusals import Refused
from farm.agents.selectors.shared_keys import budget_request_for
from farm.billing.amounts import cents, in_cents
from farm.web.ai_forms import BudgetForm
from farm.web.asking import MemberRequest, agent_asked_for, for_members
from farm.web.presenters.ai import CURRENCY, budget_words


@for_members
@require_http_methods(["GET", "HEAD", "POST"])
def budget(request: MemberRequest, uid: str) -> HttpResponse:
    """How it stands; who pays sets it anew."""
    setting = request.method == "POST"
    agent = agent_asked_for(request, uid, Action.PAY_AGENT if setting else Action.SEE_AGENT)
    words = budget_words(agent, request.user)
    if words is None:
        raise Http404(uid)
    initial = {"budget": in_cents(agent.ai_budget_micros or 0)}
    form = BudgetForm(request.POST or None, initial=initial)
    if setting and form.is_valid() and _set(request, agent, form):
        if request.POST.get("back") == "money":
            return redirect("account_money", agent.account.uid)
        return redirect("budget", uid)
    context = {"agent": agent, "ai": words, "form": form}
    return render(request, "agents/budget.html", context, status=422 if form.errors else 200)


@for_members
@require_POST
def ask(request: MemberRequest, uid: str) -> HttpResponse:
    """One tap: whoever pays gets a mail."""
    agent = agent_asked_for(request, uid, Action.MANAGE_AGENT)
    try:
        services.ask_for_budget(actor=request.user, door=Door.WEB, agent=agent)
    except Refused as refused:
        messages.error(request, str(refused.sentence))
    else:
        messages.success(request, gettext("Asked. You get a mail as soon as somebody decides."))
    return redirect("agent", uid)


@for_members
@require_POST
def renew_key(request: MemberRequest, uid: str) -> HttpResponse:
    """The machine's key to the relay is void, and it gets a new one."""
    agent = agent_asked_for(request, uid, Action.MANAGE_AGENT)
    try:
        services.renew_relay_key(actor=request.user, door=Door.WEB, agent=agent)
    except Refused as refused:
        messages.error(request, str(refused.sentence))
    else:
        messages.success(request, gettext("Its old key is void; its machine gets a new one."))
    return redirect("agent", uid)


@for_members
@require_POST
def use_key(request: MemberRequest, uid: str) -> HttpResponse:
    """From now on it thinks with a key that its account shares."""
    agent = agent_asked_for(request, uid, Action.MANAGE_AGENT)
    try:
        services.use_shared_key(
            actor=request.user, door=Door.WEB, agent=agent, key_uid=request.POST.get("key", "-")
        )
    except Refused as refused:
        messages.error(request, str(refused.sentence))
    return redirect("agent", uid)


@for_members
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: MemberRequest, uid: str) -> HttpResponse:
    """The page that the mail leads to: nothing happens before its button is pressed."""
    asked = _asked_for(request, uid)
    agent = agent_asked_for(request, asked.agent.uid, Action.PAY_AGENT)
    if request.method == "POST":
        granted = request.POST.get("answer") == "grant"
        try:
            services.decide_budget(
                actor=request.user, door=Door.WEB, request=asked, granted=granted
            )
        except Refused as refused:
            messages.error(request, str(refused.sentence))
        return redirect("decide_budget", uid)
    budget_now = agent.ai_budget_micros or 0
    context = {
        "asked": asked,
        "agent": agent,
        "ai": budget_words(agent, request.user),
        "step": cents(asked.step_micros, CURRENCY),
        "new_budget": cents(budget_now + asked.step_micros, CURRENCY),
        "is_open": asked.state == BudgetRequest.State.OPEN,
    }
    return render(request, "agents/decide_budget.html", context)


def _asked_for(request: MemberRequest, uid: str) -> BudgetRequest:
    try:
        return budget_request_for(request.user, uid)
    except BudgetRequest.DoesNotExist:
        raise Http404(uid) from None


def _set(request: MemberRequest, agent: Agent, form: BudgetForm) -> bool:
    try:
        services.set_budget(actor=request.user, door=Door.WEB, agent=agent, micros=form.micros())
    except Refused as refused:
        form.add_error("budget", str(refused.sentence))
        return False
    said = gettext("%(agent)s may spend %(budget)s a month on AI from now on.")
    budget = cents(form.micros(), CURRENCY)
    messages.success(request, said % {"agent": agent.name, "budget": budget})
    return True
