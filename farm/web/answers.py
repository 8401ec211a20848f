"""Answers to a page that is already open: a service's no, or that it is another page by now."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from farm.agents.refusals import Refused
from farm.web.asking import MemberRequest


def refused_page(request: MemberRequest, refused: Refused, uid: str) -> HttpResponse:
    """Back to the agent's page, with the sentence on top of it."""
    messages.error(request, str(refused.sentence))
    return redirect("agent", uid)


def became_another_page() -> HttpResponse:
    """For a part that asks for itself: farm.js reloads the page once nobody is typing in it."""
    return HttpResponse(status=204, headers={"HX-Trigger": "farm-changed"})


def refused_part(sentence: str, *, target: str) -> HttpResponse:
    """The sentence alone, put into the element `target` by htmx; what was typed stays."""
    headers = {"HX-Retarget": target, "HX-Reswap": "textContent"}
    return HttpResponse(sentence, status=422, content_type="text/plain", headers=headers)
