"""Money: what my agents cost, what an account pays, a payer's statement with its exports."""

from __future__ import annotations

from datetime import date, datetime

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from farm.accounts.models import Account
from farm.accounts.permissions import Action, may
from farm.accounts.selectors import members_of
from farm.accounts.services import account_of
from farm.agents import selectors
from farm.billing.limits import limits_in
from farm.billing.models import Payer
from farm.billing.papers import file_name, statement_pdf
from farm.billing.statements import Statement, ai_days, lines_of, months_of
from farm.billing.tables import hours_csv, statement_csv
from farm.web.asking import MemberRequest, account_asked_for, account_chosen_by, for_members
from farm.web.presenters.money import account_words, mine_words
from farm.web.presenters.statements import Allowed, hour_rows, statement_words


@for_members
@require_GET
def mine(request: MemberRequest) -> HttpResponse:
    """What the person's own agents in the account they act for cost this month."""
    account = account_of(user=request.user, chosen=account_chosen_by(request))
    now = timezone.now()
    month = selectors.member_month(request.user, account, now)
    context = {
        "money": mine_words(month, now),
        "account": account,
        "may_manage": may(request.user, Action.MANAGE_MONEY, account),
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
        "money": account_words(month, _allowed(account), now.date()),
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
    found = _statement(request, uid, month)
    context = {
        "statement": statement_words(found),
        "account": found.payer.account,
        "under_way": found.month >= timezone.now().date().replace(day=1),
    }
    return render(request, "money/statement.html", context)


@for_members
@require_GET
def hours(request: MemberRequest, uid: str, month: str, agent_uid: str) -> HttpResponse:
    """One agent's lines of a statement: hour by hour, and its AI day by day."""
    payer = payer_asked_for(request, uid)
    began = _month(month)
    lines = lines_of(payer, began).filter(agent_uid=agent_uid)
    rows = hour_rows(lines, ai_days(payer, began).filter(agent_uid=agent_uid))
    template = "money/hours.html" if request.htmx else "money/hours_page.html"
    return render(request, template, {"rows": rows, "payer": payer, "month": month})


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


def _allowed(account: Account) -> Allowed:
    return Allowed(limits_in(account), selectors.budgets_in(account))


def _statement(request: MemberRequest, uid: str, month: str) -> Statement:
    payer = payer_asked_for(request, uid)
    return selectors.month_statement(payer, _month(month), timezone.now())


def _month(word: str) -> date:
    try:
        return datetime.strptime(word, "%Y-%m").date()  # noqa: DTZ007  (a month has no zone)
    except ValueError:
        raise Http404(word) from None


def _download(body: bytes, kind: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(body, content_type=f"{kind}; charset=utf-8", headers=headers)
