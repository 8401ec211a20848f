"""The person's keys to the API: made, shown once, and taken back."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from farm.accounts.models import ApiToken, Door
from farm.accounts.refusals import Refused
from farm.accounts.tokens import Scope, make_token, revoke_token, tokens_of
from farm.web.asking import MemberRequest, for_members
from farm.web.presenters.tokens import scope_words, token_words

DAYS = (7, 30, 90, 365)


@for_members
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: MemberRequest) -> HttpResponse:
    """The list and the form; a token that was just made is in this one answer and never again."""
    if request.method != "POST":
        return _page(request)
    days = request.POST.get("days", "")
    try:
        made = make_token(
            actor=request.user,
            door=Door.WEB,
            name=request.POST.get("name", ""),
            scopes=request.POST.getlist("scopes"),
            days=int(days) if days.isdecimal() and len(days) < 5 else 0,
        )
    except Refused as refused:
        return _page(request, refused=refused)
    return _page(request, made=made.text)


@for_members
@require_POST
def revoke(request: MemberRequest, token: str) -> HttpResponse:
    """It opens nothing any more."""
    try:
        revoke_token(actor=request.user, door=Door.WEB, uid=token)
    except ApiToken.DoesNotExist:
        raise Http404(token) from None
    messages.success(request, gettext("The token opens nothing any more."))
    return redirect("tokens")


def _page(request: MemberRequest, made: str = "", refused: Refused | None = None) -> HttpResponse:
    chosen = request.POST.getlist("scopes") if refused else [Scope.AGENTS_READ]
    context = {
        "tokens": token_words(tokens_of(request.user).filter(revoked_at=None)),
        "scopes": scope_words(chosen),
        "days": DAYS,
        "name": request.POST.get("name", "") if refused else "",
        "made": made,
        "errors": {refused.field: refused.sentence} if refused else {},
    }
    return render(request, "account/tokens.html", context, status=422 if refused else 200)
