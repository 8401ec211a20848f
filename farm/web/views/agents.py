"""The list of a person's agents."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from farm.accounts.selectors import account_chosen
from farm.agents import selectors
from farm.web.asking import MemberRequest, account_chosen_by, for_members
from farm.web.presenters.agents import agent_card


@for_members
@require_GET
def agents(request: MemberRequest) -> HttpResponse:
    """Every agent of the account that they may see; those that are gone are folded away."""
    account = account_chosen(request.user, account_chosen_by(request))
    rows = list(selectors.agents_of(request.user, deleted=True, account=account))
    spent = selectors.spent_on(rows, timezone.now())
    cards = [agent_card(agent, spent[agent.pk], request.user) for agent in rows]
    context = {
        "cards": [card for card in cards if not card.is_gone],
        "gone": [card for card in cards if card.is_gone],
        "account": account,
    }
    return render(request, "agents/list.html", context)
