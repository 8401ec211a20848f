"""The set-up page, behind the one-time token that the installation printed."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from farm.accounts.refusals import Refused
from farm.env import setting_up
from farm.setup import tokens
from farm.setup.answers import kept
from farm.setup.asking import OPERATOR_EMAIL, try_answers
from farm.setup.founding import found_farm
from farm.setup.house import sign_of_here
from farm.web.presenters.set_up import key_fields
from farm.web.set_up_form import SetUpForm

DOOR = "set_up"
"""Where the session keeps the digest of the token that it came in by."""
LOOK_AGAIN = 3
"""Seconds after which a browser that waits for the site asks for its page once more."""


def lead_there(request: HttpRequest) -> HttpResponse:
    """There is no other page yet."""
    return redirect("set_up") if setting_up() else _starting(request)


@require_http_methods(["GET", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """Ask for everything, or only for the token; each try keeps what was good of it."""
    if not _came_in(request):
        return _ask_for_token(request) if setting_up() else _starting(request)
    if request.method == "GET":
        return _page(request, SetUpForm(initial=SetUpForm.kept()))
    form = SetUpForm(request.POST)
    form.is_valid()
    refusals = try_answers(form.answers()) or _founded(request)
    for refused in refusals:
        form.add_error(refused.field, str(refused.sentence))
    return _page(request, form) if refusals else _done(request)


@require_POST
def enter(request: HttpRequest) -> HttpResponse:
    """The token, once: from here on this browser is in, until the farm is set up."""
    digest = tokens.digest_of(request.POST.get("token", ""))
    if not tokens.opens(digest):
        sentence = gettext(
            "This is not the token, or another was made since. The installation printed it last;"
            " `farm setup token` on the machine makes another."
        )
        return _ask_for_token(request, sentence)
    request.session.cycle_key()
    request.session[DOOR] = digest
    return redirect("set_up")


@require_GET
def here(request: HttpRequest) -> HttpResponse:
    """What only this machine answers: so the set-up page sees whether a name leads here."""
    sign = sign_of_here(request.GET.get("question", ""))
    return HttpResponse(sign, content_type="text/plain")


def _came_in(request: HttpRequest) -> bool:
    return tokens.opens(str(request.session.get(DOOR, "")))


def _ask_for_token(request: HttpRequest, error: str = "") -> HttpResponse:
    errors = [error] if error else []
    return render(request, "set_up/token.html", {"errors": errors}, status=422 if error else 200)


def _starting(request: HttpRequest) -> HttpResponse:
    """The last answer was given a moment ago: the site comes to where the browser asked for it."""
    answer = render(request, "set_up/starting.html", status=503)
    answer.headers["Refresh"] = str(LOOK_AGAIN)
    return answer


def _page(request: HttpRequest, form: SetUpForm) -> HttpResponse:
    context = {"form": form, "keys": key_fields(form)}
    return render(request, "set_up/page.html", context, status=422 if form.errors else 200)


def _founded(request: HttpRequest) -> Sequence[Refused]:
    """Everything was good: the farm begins, and this browser has no more business here."""
    try:
        found_farm(language=get_language() or settings.LANGUAGE_CODE)
    except Refused as refused:
        return [refused]
    request.session.flush()
    return []


def _done(request: HttpRequest) -> HttpResponse:
    context = {"url": kept("SITE_URL"), "email": kept(OPERATOR_EMAIL)}
    return render(request, "set_up/done.html", context)
