"""The mailbox as people and tests read it: a list, one mail, and both as JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from html import escape

from aiohttp import web

from farm.sandbox.callers import asked_by_address
from farm.sandbox.mailbox.mails import Mail, Mails
from farm.sandbox.pages import linked, page
from farm.sandbox.wire import answer

REFRESH_SECONDS = 3
_PREVIEW = 120


def mailbox_application(mails: Mails) -> web.Application:
    """GET / lists, /mails/ID shows one, /messages?to=ADDRESS is the list as JSON."""
    application = web.Application(middlewares=[_by_address_only])
    application.add_routes(message_routes(mails))

    async def listed(request: web.Request) -> web.Response:
        to = request.query.get("to", "")
        return page("Mailbox", _list(mails.newest(to=to), to), refresh=REFRESH_SECONDS)

    async def shown(request: web.Request) -> web.Response:
        mail = mails.find(int(request.match_info["number"]))
        if mail is None:
            return page("Mailbox", "<p>There is no such mail any more.</p>", status=404)
        return page(mail.subject or "(no subject)", _one(mail))

    application.router.add_get("/", listed)
    application.router.add_get(r"/mails/{number:\d{1,12}}", shown)
    return application


def message_routes(mails: Mails, prefix: str = "") -> list[web.RouteDef]:
    """GET messages?to=ADDRESS, newest first, each with id, at, sender, to, subject, text, html."""

    async def messages(request: web.Request) -> web.Response:
        found = mails.newest(to=request.query.get("to", ""))
        return answer({"messages": [asdict(mail) for mail in found]})

    return [web.get(f"{prefix}/messages", messages)]


@web.middleware
async def _by_address_only(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    if not asked_by_address(request):
        raise web.HTTPForbidden(text="Open the mailbox by its address, which begins with 127.")
    return await handler(request)


def _list(mails: tuple[Mail, ...], to: str) -> str:
    search = (
        f'<form method="get"><input name="to" value="{escape(to)}" placeholder="Mails to this'
        ' address only" aria-label="Recipient"><button>Show</button></form>'
    )
    if not mails:
        return f'{search}<p class="quiet">No mail yet. This page looks again by itself.</p>'
    return search + "".join(_line(mail) for mail in mails)


def _line(mail: Mail) -> str:
    preview = " ".join(mail.text.split())[:_PREVIEW]
    return (
        f'<a class="card" href="/mails/{mail.id}"><strong>{escape(mail.subject)}</strong>'
        f'<span class="quiet">{escape(", ".join(mail.to))} - {_hour(mail)}</span>'
        f"<div>{escape(preview)}</div></a>"
    )


def _one(mail: Mail) -> str:
    return (
        f'<p class="quiet">From {escape(mail.sender)}<br>To {escape(", ".join(mail.to))}<br>'
        f'{_hour(mail)} UTC</p><div class="card"><pre>{linked(mail.text)}</pre></div>'
        '<p><a href="/">All mails</a></p>'
    )


def _hour(mail: Mail) -> str:
    return escape(mail.at[:19].replace("T", " "))
