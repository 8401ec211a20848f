"""The first page, the choice of a language, and whether the site lives."""

from __future__ import annotations

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.views.decorators.http import require_GET, require_POST

from farm.accounts import services as accounts
from farm.accounts.permissions import Action, may
from farm.agents import selectors
from farm.catalog import catalog
from farm.web.presenters.offers import offer_words


@require_GET
def landing(request: HttpRequest) -> HttpResponse:
    """Says what this is and takes an e-mail address; who is logged in sees their agents."""
    if request.user.is_authenticated:
        return redirect("operator" if may(request.user, Action.OPERATE_FARM) else "agents")
    plan = catalog().plans.default
    quote = selectors.offer_for(plan.key, selectors.regions().default.key)
    context = {
        "offer": offer_words(quote) if quote else None,
        "is_open": settings.SIGN_UP == "open",
    }
    return render(request, "landing.html", context)


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Keep the language in a cookie, and for mail with the person, then go back."""
    after = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(after, allowed_hosts={request.get_host()}):
        after = "/"
    language = request.POST.get("language", "")
    response = redirect(after)
    if language in dict(settings.LANGUAGES) and check_for_language(language):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=365 * 24 * 3600,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
        if request.user.is_authenticated:
            accounts.choose_language(user=request.user, language=language)
    return response


@require_GET
def healthz(_request: HttpRequest) -> HttpResponse:
    """ "ok" once the database answers; for supervisors, not for people."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")
