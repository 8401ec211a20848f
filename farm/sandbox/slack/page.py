"""Slack as a person of the sandbox has it: be somebody, install an app, and write to bots."""

from __future__ import annotations

from html import escape

from aiohttp import web

from farm.sandbox.callers import asked_by_address, comes_from
from farm.sandbox.pages import linked, page
from farm.sandbox.slack.service import Slack
from farm.sandbox.slack.workspace import App, Message, Person
from farm.sandbox.wire import BadRequestError

REFRESH_SECONDS = 2
_PERSON = r"/people/{person:U\w{1,20}}"
_CHAT = _PERSON + r"/{app:A\w{1,20}}"


class SlackPages:
    """Pages for people on this machine; a guest that asks for them is refused."""

    def __init__(self, slack: Slack) -> None:
        self._slack = slack
        self._workspace = slack.workspace

    def add_routes(self, application: web.Application) -> None:
        """The pages and their forms."""
        for path, shown in (
            ("/", self._people),
            (_PERSON, self._person_page),
            (_CHAT, self._chat),
            (_CHAT + "/messages", self._messages),
        ):
            application.router.add_get(path, shown)
        application.router.add_post("/", self._join)
        application.router.add_post(_PERSON, self._install)
        application.router.add_post(_CHAT, self._write)

    async def _people(self, request: web.Request) -> web.Response:
        self._admit(request)
        known = "".join(
            f'<a class="card" href="/people/{p.id}"><strong>{escape(p.name)}</strong></a>'
            for p in self._workspace.people()
        )
        form = (
            '<h2>Somebody new</h2><form method="post"><input name="name" required maxlength="64"'
            ' placeholder="First name"><button>Join the workspace</button></form>'
        )
        return page("Who are you in Slack?", known + form)

    async def _join(self, request: web.Request) -> web.Response:
        self._admit(request)
        person = self._workspace.join(await _form(request, "name"))
        raise web.HTTPSeeOther(f"/people/{person.id}")

    async def _person_page(self, request: web.Request) -> web.Response:
        self._admit(request)
        return self._shown(self._person(request), "")

    def _shown(self, person: Person, problem: str) -> web.Response:
        apps = "".join(
            f'<a class="card" href="/people/{person.id}/{app.id}">'
            f"<strong>{escape(app.name)}</strong>"
            f'<span class="quiet">bot token <code>{app.bot_token}</code></span>'
            f'<span class="quiet">app token <code>{app.app_token}</code></span></a>'
            for app in self._workspace.apps()
        )
        form = (
            f'<h2>Install an app</h2><p class="quiet">{escape(problem)}</p><form method="post">'
            '<input name="name" required placeholder="The app\'s name">'
            '<button>Install</button></form><p><a href="/">Somebody else</a></p>'
        )
        return page(f"{person.name} in Slack", apps + form, status=422 if problem else 200)

    async def _install(self, request: web.Request) -> web.Response:
        self._admit(request)
        person = self._person(request)
        try:
            self._workspace.install(await _form(request, "name"))
        except BadRequestError as problem:
            return self._shown(person, str(problem))
        raise web.HTTPSeeOther(f"/people/{person.id}")

    async def _chat(self, request: web.Request) -> web.Response:
        self._admit(request)
        person, app = self._person(request), self._app(request)
        body = (
            f'<iframe title="Messages" src="/people/{person.id}/{app.id}/messages"></iframe>'
            '<form method="post"><input name="text" required autofocus autocomplete="off"'
            ' maxlength="4000" placeholder="Message"><button>Send</button></form>'
            f'<p><a href="/people/{person.id}">All apps</a></p>'
        )
        return page(app.name, body)

    async def _messages(self, request: web.Request) -> web.Response:
        self._admit(request)
        said = self._workspace.chat(self._app(request), self._person(request).id)
        body = "".join(_bubble(message) for message in reversed(said[-200:]))
        empty = '<p class="quiet">Nothing yet: write the first word.</p>'
        return page("", f'<div class="chat">{body or empty}</div>', refresh=REFRESH_SECONDS)

    async def _write(self, request: web.Request) -> web.Response:
        self._admit(request)
        person, app = self._person(request), self._app(request)
        if text := await _form(request, "text"):
            await self._slack.write(person, app, text)
        raise web.HTTPSeeOther(f"/people/{person.id}/{app.id}")

    def _admit(self, request: web.Request) -> None:
        """Neither a guest nor a page of another site may act as a person."""
        origin = request.headers.get("Origin")
        if not comes_from(request, self._slack.hosts):
            raise web.HTTPForbidden(text="Only people on the sandbox's own machine are in Slack.")
        if not asked_by_address(request) or origin not in (None, f"http://{request.host}"):
            raise web.HTTPForbidden(text="Open this page itself and send the form from there.")

    def _person(self, request: web.Request) -> Person:
        person = self._workspace.person(request.match_info["person"])
        if person is None:
            raise web.HTTPNotFound(text="Nobody is called so: join the workspace at /.")
        return person

    def _app(self, request: web.Request) -> App:
        app = self._workspace.app(request.match_info["app"])
        if app is None:
            raise web.HTTPNotFound(text="There is no such app: install it first.")
        return app


def _bubble(message: Message) -> str:
    mine = "" if message.by_bot else " mine"
    return f'<div class="card{mine}"><pre>{linked(message.text)}</pre></div>'


async def _form(request: web.Request, name: str) -> str:
    value = (await request.post()).get(name)
    return value.strip() if isinstance(value, str) else ""
