"""When an agent sleeps by itself: its hours, its idle time, and a longer stay."""

from __future__ import annotations

from zoneinfo import available_timezones

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from farm.accounts.models import Door
from farm.accounts.permissions import Action
from farm.agents import services
from farm.agents.models import Agent
from farm.agents.refusals import Refused
from farm.agents.selectors.schedules import rhythm_of
from farm.web.answers import refused_page
from farm.web.asking import MemberRequest, agent_asked_for, for_members
from farm.web.presenters.agents import portrait
from farm.web.presenters.rhythm import day_fields, rhythm_words
from farm.web.schedule_form import ScheduleForm, moment_in


@for_members
@require_http_methods(["GET", "HEAD", "POST"])
def schedule(request: MemberRequest, uid: str) -> HttpResponse:
    """The form, or what was sent of it."""
    asked = agent_asked_for(request, uid, Action.MANAGE_AGENT)
    sent = request.POST if request.method == "POST" else None
    form = ScheduleForm(rhythm_of(asked, timezone.now()), sent)
    if sent is None:
        return _page(request, asked, form)
    try:
        if "clear" in sent:
            services.clear_schedule(actor=request.user, door=Door.WEB, agent=asked)
        else:
            services.set_schedule(actor=request.user, door=Door.WEB, agent=asked, wish=form.wish())
    except Refused as refused:
        form.refuse(refused)
        return _page(request, asked, form)
    return redirect("agent", uid)


@for_members
@require_POST
def keep(request: MemberRequest, uid: str) -> HttpResponse:
    """Keep it awake until a moment, or no longer."""
    asked = agent_asked_for(request, uid, Action.MANAGE_AGENT)
    now = timezone.now()
    rhythm = rhythm_of(asked, now)
    zone = rhythm.zone if rhythm.is_set else request.POST.get("zone", "UTC")
    try:
        until = moment_in(request.POST, zone, now)
        services.keep_running(
            actor=request.user, door=Door.WEB, agent=asked, until=until, zone=zone
        )
    except Refused as refused:
        if refused.field != "until":
            return refused_page(request, refused, uid)
        form = ScheduleForm(rhythm)
        form.refuse(refused)
        return _page(request, asked, form, until=request.POST.get("until", ""))
    return redirect("agent", uid)


def _page(
    request: MemberRequest, asked: Agent, form: ScheduleForm, until: str = ""
) -> HttpResponse:
    context = {
        "agent": portrait(asked, request.user),
        "form": form,
        "days": day_fields(form.hours, form.day_errors),
        "zones": sorted(available_timezones()),
        "rhythm": rhythm_words(form.rhythm, timezone.now()),
        "until": until,
    }
    return render(request, "agents/schedule.html", context, status=422 if form.errors else 200)
