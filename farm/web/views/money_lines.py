"""Every hour of an agent: of one payer's month, or whoever bears it; in pieces, or one day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from farm.agents.selectors.days import agent_lines
from farm.billing.ai_rows import AiDay
from farm.billing.ai_spend import ai_days_of
from farm.billing.models import UsageLine
from farm.billing.rule import begin_of
from farm.billing.statements import ai_days, lines_of
from farm.web.asking import MemberRequest, agent_asked_for, for_members
from farm.web.presenters.money_lines import LineRow, ai_rows, line_rows
from farm.web.presenters.statements import month_name
from farm.web.views.money import month_asked_for, payer_asked_for

A_PAGE = 100
"""Lines that are shown at once."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines of a page and where the pages beside it are, "" for none; `day` where it is of one."""

    rows: tuple[LineRow, ...]
    ai: tuple[LineRow, ...]
    number: int
    count: int
    before: str
    after: str
    day: date | None


@for_members
@require_GET
def hours(request: MemberRequest, uid: str, month: str, agent_uid: str) -> HttpResponse:
    """One agent's lines of a statement: hour by hour, and its AI day by day."""
    payer = payer_asked_for(request, uid)
    began = month_asked_for(month)
    piece = _piece(
        request,
        lines_of(payer, began).filter(agent_uid=agent_uid),
        ai_days(payer, began).filter(agent_uid=agent_uid),
    )
    template = "money/hours.html" if request.htmx else "money/hours_page.html"
    context = {
        "piece": piece,
        "payer": payer,
        "month": month,
        "month_name": month_name(began),
        "hours_url": request.path,
    }
    return render(request, template, context)


@for_members
@require_GET
def agent_hours(request: MemberRequest, uid: str, month: str) -> HttpResponse:
    """Every hour that an agent's machines cost somebody, and whose cost and why."""
    agent = agent_asked_for(request, uid)
    began = month_asked_for(month)
    piece = _piece(request, agent_lines(agent, began), ai_days_of(agent.uid, began))
    context = {
        "piece": piece,
        "agent": agent,
        "month_name": month_name(began),
        "hours_url": request.path,
    }
    return render(request, "money/hours_page.html", context)


def _piece(request: MemberRequest, lines: QuerySet[UsageLine], ai: QuerySet[AiDay]) -> Piece:
    day = _day_asked_for(request)
    if day:
        since = begin_of(day)
        lines = lines.filter(began_at__gte=since, began_at__lt=since + timedelta(days=1))
        ai = ai.filter(day=day)
    priced = lines.select_related("price", "payer")
    page = Paginator(priced, A_PAGE).get_page(request.GET.get("page"))
    return Piece(
        rows=line_rows(page.object_list),
        ai=ai_rows(ai) if page.number == 1 else (),
        number=page.number,
        count=page.paginator.num_pages,
        before=_address(page.number - 1, day) if page.has_previous() else "",
        after=_address(page.number + 1, day) if page.has_next() else "",
        day=day,
    )


def _address(number: int, day: date | None) -> str:
    return f"?day={day:%Y-%m-%d}&page={number}" if day else f"?page={number}"


def _day_asked_for(request: MemberRequest) -> date | None:
    word = request.GET.get("day", "")
    if not word:
        return None
    try:
        return datetime.strptime(word, "%Y-%m-%d").astimezone(UTC).date()
    except (ValueError, OverflowError):
        raise Http404(word) from None
