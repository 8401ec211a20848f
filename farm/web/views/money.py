"""Money: what my agents cost, what an account pays, a payer's statement with its exports."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from farm.accounts.models import Account
from farm.accounts.permissions import Action, may
from farm.accounts.selectors import members_of
from farm.accounts.services import account_of
from farm.agents import selectors
from farm.agents.selectors.days import member_days, on_own_keys, payer_days
from farm.billing.limits import limits_in
from farm.billing.models import Payer
from farm.billing.papers import file_name, statement_pdf
from farm.billing.rule import month_of
from farm.billing.standing import standings_in
from farm.billing.statements import Statement, months_of
from farm.billing.tables import hours_csv, statement_csv
from farm.web.asking import MemberRequest, account_asked_for, account_chosen_by, for_members
from farm.web.presenters.money import account_words, mine_words
from farm.web.presenters.money_chart import chart_words
from farm.web.presenters.statements import Allowed, statement_words

THIS_AGE = range(2020, 3000)


@for_members
@require_GET
def mine(request: MemberRequest) -> HttpResponse:
    """What the person's own agents in the account they act for cost this month, or by day."""
    account = account_of(user=request.user, chosen=account_chosen_by(request))
    now = timezone.now()
    month = selectors.member_month(request.user, account, now)
    shown = month_asked_for(request.GET.get("month", "") or f"{month.month:%Y-%m}")
    days = member_days(request.user, account, shown, now)
    manages = may(request.user, Action.MANAGE_MONEY, account)
    context = {
        "chart": chart_words(days, _hours_of_agents(shown)),
        "money": mine_words(month, standings_in(account, now) if manages else (), now),
        "account": account,
        "may_manage": manages,
    }
    return render(request, "money/mine.html", context)


@for_members
@require_GET
def account_money(request: MemberRequest, uid: str) -> HttpResponse:
    """What the account's payers pay, for whom, and what the clouds charge beside it."""
    account = account_asked_for(request, uid, Action.MANAGE_MONEY)
    now = timezone.now()
    month = selectors.account_month(account, now)
    context = {
        "account": account,
        "money": account_words(
            month, standings_in(account, now), _allowed(account), on_own_keys(account), now.date()
        ),
        "months": [
            (one.payer, earlier)
            for one in month.payers
            for earlier in months_of(one.payer)
            if earlier < one.month
        ],
        "members": [member.user for member in members_of(account)],
    }
    return render(request, "money/account.html", context)


@for_members
@require_GET
def statement(request: MemberRequest, uid: str, month: str) -> HttpResponse:
    """One payer's month, down to the hour behind a fold."""
    found, now = _statement(request, uid, month), timezone.now()
    days = payer_days(found.payer, found.month, now)
    context = {
        "statement": statement_words(found),
        "chart": chart_words(days, _hours_for(found)),
        "account": found.payer.account,
        "under_way": found.month >= month_of(now),
    }
    return render(request, "money/statement.html", context)


@for_members
@require_GET
def export(request: MemberRequest, uid: str, month: str, form: str) -> HttpResponse:
    """The statement as `statement.pdf`, `statement.csv` or `hours.csv`."""
    found = _statement(request, uid, month)
    if form == "statement.pdf":
        body, kind = statement_pdf(found, timezone.now()), "application/pdf"
        return _download(body, kind, file_name(found, "pdf"))
    if form == "statement.csv":
        return _download(statement_csv(found).encode(), "text/csv", file_name(found, "csv"))
    if form == "hours.csv":
        return _download(hours_csv(found).encode(), "text/csv", file_name(found, "hours.csv"))
    raise Http404(form)


def payer_asked_for(request: MemberRequest, uid: str) -> Payer:
    """The payer, or 404 for who is not in its account; 403 for members who manage no money."""
    payer = Payer.objects.select_related("account").filter(uid=uid).first()
    if payer is None:
        raise Http404(uid)
    account_asked_for(request, payer.account.uid, Action.MANAGE_MONEY)
    return payer


def month_asked_for(word: str) -> date:
    """The first day of a month such as 2026-11; 404 for what is none."""
    try:
        month = datetime.strptime(word, "%Y-%m").date()  # noqa: DTZ007  (a month has no zone)
    except ValueError:
        raise Http404(word) from None
    if month.year not in THIS_AGE:
        raise Http404(word)
    return month


def _allowed(account: Account) -> Allowed:
    return Allowed(limits_in(account), selectors.budgets_in(account))


def _hours_of_agents(month: date) -> Callable[[str], str]:
    return lambda uid: reverse("agent_hours", args=[uid, f"{month:%Y-%m}"])


def _hours_for(found: Statement) -> Callable[[str], str]:
    month = f"{found.month:%Y-%m}"
    return lambda uid: reverse("hours", args=[found.payer.uid, month, uid])


def _statement(request: MemberRequest, uid: str, month: str) -> Statement:
    payer = payer_asked_for(request, uid)
    return selectors.month_statement(payer, month_asked_for(month), timezone.now())


def _download(body: bytes, kind: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(body, content_type=f"{kind}; charset=utf-8", headers=headers)
