"""One top-up's page: on to Stripe, back from there, and the wait until it is known what came."""

from __future__ import annotations

from django.core.cache import cache
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from farm.accounts.refusals import Refused
from farm.billing.automatic import problem_of
from farm.billing.customer_rows import TopUp
from farm.billing.models import Payer
from farm.billing.standing import standing_of
from farm.billing.topups import look_at
from farm.web.asking import MemberRequest, for_members
from farm.web.presenters.money_reach import reach_of
from farm.web.presenters.money_wallet import UNDER_WAY, top_up_row
from farm.web.views.money import payer_asked_for

PAUSE = 2
"""Seconds between two questions to Stripe about one top-up, however many pages wait for it."""


@for_members
@require_GET
def top_up(request: MemberRequest, uid: str, top_up_uid: str) -> HttpResponse:
    """How it stands. Who comes back from Stripe has it looked at; never said paid before it is."""
    payer = payer_asked_for(request, uid)
    found = TopUp.objects.filter(customer__payer=payer, uid=top_up_uid).first()
    if found is None:
        raise Http404(top_up_uid)
    came_back = "back" in request.GET or "left" in request.GET
    error = _looked_at(found) if came_back or request.htmx else ""
    context = {
        "payer": payer,
        "top_up": top_up_row(found),
        "state": _state(request, found),
        "url": found.url if found.url.startswith(("https://", "http://")) else "",
        "problem": problem_of(found),
        "error": error,
        "reach": _reach(payer),
    }
    template = "money/top_up_part.html" if request.htmx else "money/top_up.html"
    return render(request, template, context)


def _looked_at(found: TopUp) -> str:
    """Ask Stripe, not too often; what keeps it from answering, in a sentence."""
    if found.state not in UNDER_WAY or not cache.add(f"top-up:{found.uid}", 1, PAUSE):
        found.refresh_from_db()
        return ""
    try:
        look_at(found)
    except Refused as refused:
        return str(refused.sentence)
    return ""


def _state(request: MemberRequest, found: TopUp) -> str:
    """Which part of the page is shown: go, left, waits, paid, failed or over."""
    if found.state not in UNDER_WAY:
        return str(found.state)
    for asked in ("go", "left"):
        if asked in request.GET:
            return asked
    return "waits" if "back" in request.GET else "left"


def _reach(payer: Payer) -> object:
    return reach_of(standing_of(payer, timezone.now()))
