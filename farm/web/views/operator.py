"""The operator's first page: the same morning as the command line tells."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from farm.accounts.permissions import Action, may
from farm.agents.selectors.morning import morning_at
from farm.web.asking import MemberRequest, for_members
from farm.web.presenters.morning import morning_words


@for_members
@require_GET
def operator(request: MemberRequest) -> HttpResponse:
    """What is to be done, how the fleet is, what it costs; nobody else learns that it exists."""
    if not may(request.user, Action.OPERATE_FARM):
        raise Http404
    told = morning_words(morning_at(timezone.now()))
    return render(request, "operator/morning.html", {"morning": told})
