"""What Caddy asks before it leads anybody to an agent, and the site's part of the way there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import wraps
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_GET

from farm.accounts.models import Door
from farm.accounts.permissions import Action
from farm.agents import selectors, services
from farm.agents.models import Agent, AgentPhase
from farm.web.asking import MemberRequest, for_members
from farm.web.presenters.machine import wake_words
from farm.web.remembered import Remembered
from farm.web.words import lifetime

VISIT, KNOCK = "__Host-edge", "__Host-knock"
KNOCK_LIVES = 3600
"""Seconds: somebody may have to log in first, with a code by mail."""
LONGEST_PATH = 1000
SECRET = re.compile(r"[\w-]{43}")
HASH = re.compile(r"[0-9a-f]{64}")

remembered = Remembered(settings.EDGE_RECHECK_SECONDS)
View = Callable[[HttpRequest], HttpResponse]


def for_caddy(view: View) -> View:
    """404 for everybody who does not know the word that the farm and Caddy share."""

    @wraps(view)
    def seen(request: HttpRequest) -> HttpResponse:
        word = request.headers.get("X-Farm-Edge") or request.GET.get("key", "")
        if not (settings.EDGE and constant_time_compare(word, settings.EDGE_SECRET)):
            return HttpResponse(status=404)
        return view(request)

    return seen


@for_caddy
@require_GET
def auth(request: HttpRequest) -> HttpResponse:
    """200 with the way to the agent; else what the visitor is to be told instead."""
    host = _host_of(request)
    way = _way_of(request, host)
    if way and way.upstream:
        return HttpResponse(
            headers={
                "X-Agent-Upstream": way.upstream,
                "X-Agent-Name": way.server_name,
                "X-Agent-User": way.person,
            }
        )
    if way:
        return _not_running(request, way)
    return _to_the_site(request, host) if _is_a_person(request) else HttpResponse(status=401)


@for_caddy
@require_GET
def enter(request: HttpRequest) -> HttpResponse:
    """The code becomes a cookie of this host's own; a code that is no good leads nowhere."""
    knock = request.COOKIES.get(KNOCK, "")
    try:
        entrance = services.come_in(
            code=request.GET.get("code", ""), knock=knock, host=_host_of(request)
        )
    except services.CodeRefused:
        return _page("edge/refused.html", {}, status=403)
    answer = HttpResponse(status=302, headers={"Location": entrance.path})
    _give(answer, VISIT, entrance.cookie, None)
    _give(answer, KNOCK, "", 0)
    return answer


@for_caddy
@require_GET
def ask(request: HttpRequest) -> HttpResponse:
    """Whether Caddy shall get a certificate for this host: 200 for an agent's, 404 for others."""
    name, _, domain = request.GET.get("domain", "").lower().partition(".")
    there = domain == settings.AGENTS_DOMAIN and selectors.is_host(name)
    return HttpResponse(status=200 if there else 404)


@for_members
@require_GET
def open_edge(request: MemberRequest) -> HttpResponse:
    """Somebody knocked at an agent's host: give them the way in if it is theirs to open."""
    knock_hash = request.GET.get("knock", "")
    if not (settings.EDGE and HASH.fullmatch(knock_hash)):
        raise Http404
    try:
        agent = selectors.agent_at(request.GET.get("host", ""))
        if _is_to_be_woken(request, agent):
            return redirect("wake_agent", agent.uid)
        code = services.open_door(
            actor=request.user,
            door=Door.WEB,
            agent=agent,
            session_key=request.session.session_key or "",
            knock_hash=knock_hash,
            path=_safe_path(request.GET.get("path", "")),
        )
    except (Agent.DoesNotExist, PermissionDenied):
        raise Http404 from None
    return redirect(f"{selectors.origin_of(agent)}/.farm/enter?{urlencode({'code': code})}")


def _is_to_be_woken(request: MemberRequest, agent: Agent) -> bool:
    """It sleeps, and who knocks may wake it: there is nothing behind its door before."""
    asleep = agent.phase == AgentPhase.STOPPED
    return asleep and selectors.may_with(request.user, agent, Action.MANAGE_AGENT)


def _host_of(request: HttpRequest) -> str:
    """The agent's name in the host that Caddy was asked for; "" for a host that is no agent's."""
    asked = request.headers.get("X-Forwarded-Host", "").lower()
    name, _, domain = asked.partition(":")[0].partition(".")
    return name if domain == settings.AGENTS_DOMAIN else ""


def _way_of(request: HttpRequest, host: str) -> selectors.Way | None:
    cookie = request.COOKIES.get(VISIT, "")
    if not SECRET.fullmatch(cookie):
        return None
    cookie_hash = services.hash_of(cookie)
    fetched = request.headers.get("X-Forwarded-Method") in ("GET", "HEAD")
    lasting = not fetched or bool(request.headers.get("Upgrade")) or _is_a_person(request)
    return remembered.way(cookie_hash, host, lambda: _asked(cookie_hash, host), anew=lasting)


def _asked(cookie_hash: str, host: str) -> selectors.Way | None:
    """The way as the database has it; an open console is a use of its agent."""
    now = timezone.now()
    way = selectors.way_for(cookie_hash, host, now)
    if way and way.upstream:
        services.note_console_use(way.agent_uid, now)
    return way


def _is_a_person(request: HttpRequest) -> bool:
    """Whether a page is to be shown, and not a part of one fetched."""
    if request.headers.get("X-Forwarded-Method") != "GET" or request.headers.get("Upgrade"):
        return False
    mode = request.headers.get("Sec-Fetch-Mode")
    if mode:
        return mode == "navigate" and request.headers.get("Sec-Fetch-Dest") == "document"
    return "text/html" in request.headers.get("Accept", "")


def _to_the_site(request: HttpRequest, host: str) -> HttpResponse:
    """With a knock in this browser, so that the code that comes back is of use in it alone."""
    knock = request.COOKIES.get(KNOCK, "")
    if not SECRET.fullmatch(knock):
        knock = services.new_secret()
    path = request.headers.get("X-Forwarded-Uri", "")
    asked = {"host": host, "knock": services.hash_of(knock), "path": path[:LONGEST_PATH]}
    answer = redirect(f"{settings.SITE_URL}/edge/open/?{urlencode(asked)}")
    _give(answer, KNOCK, knock, KNOCK_LIVES)
    return answer


def _not_running(request: HttpRequest, way: selectors.Way) -> HttpResponse:
    if not _is_a_person(request):
        return HttpResponse(status=503)
    page = f"{settings.SITE_URL}/agents/{way.agent_uid}/"
    if way.asleep_since:
        words = wake_words(selectors.agent_at(_host_of(request)))
        asleep = {
            "name": way.agent_name,
            "page": f"{page}wake/",
            "time": lifetime(timezone.now() - way.asleep_since),
            "hourly": words.hourly if words else "",
        }
        return _page("edge/asleep.html", asleep, status=503)
    context = {"name": way.agent_name, "page": page}
    return _page("edge/not_running.html", context, status=503)


def _page(template: str, context: Mapping[str, str], *, status: int) -> HttpResponse:
    """On a host that is not the site's, nothing of the site's is to be had."""
    return HttpResponse(render_to_string(template, dict(context)), status=status)


def _safe_path(path: str) -> str:
    """A path of the agent's own host, and of no other."""
    good = re.fullmatch(r"/(?![/\\])[^\\\x00-\x20]*", path) and not path.startswith("/.farm")
    return path[:LONGEST_PATH] if good else "/"


def _give(answer: HttpResponse, name: str, value: str, seconds: int | None) -> None:
    answer.set_cookie(
        name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="Lax"
    )
