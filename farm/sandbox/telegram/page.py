"""A phone with Telegram on it: be somebody, make a bot with BotFather, and write to bots."""

from __future__ import annotations

import secrets
from html import escape

from aiohttp import web

from farm.sandbox.callers import asked_by_address, comes_from
from farm.sandbox.pages import linked, page
from farm.sandbox.telegram.chats import Bot, Message, Person
from farm.sandbox.telegram.service import Telegram
from farm.sandbox.wire import BadRequestError

REFRESH_SECONDS = 2
_PHONE = r"/phones/{person:\d{1,15}}"
_CHAT = _PHONE + r"/{bot:\w+}"
_NEW_BOT = r"/newbot/{manager:\w+}/{username:\w+}"


class PhonePages:
    """Pages for people on this machine; a guest that asks for them is refused."""

    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram
        self._chats = telegram.chats

    def add_routes(self, application: web.Application) -> None:
        """The pages and their forms."""
        for path, shown in (
            ("/", self._people),
            (_PHONE, self._phone),
            (_CHAT, self._chat),
            (_CHAT + "/messages", self._messages),
            (_NEW_BOT, self._new_bot),
        ):
            application.router.add_get(path, shown)
        application.router.add_post("/", self._be_somebody)
        application.router.add_post(_PHONE, self._make_bot)
        application.router.add_post(_CHAT, self._write)
        application.router.add_post(_NEW_BOT, self._make_managed)

    async def _people(self, request: web.Request) -> web.Response:
        self._admit(request)
        known = "".join(
            f'<a class="card" href="/phones/{p.id}"><strong>{escape(p.name)}</strong>'
            f'<span class="quiet">Telegram id {p.id}</span></a>'
            for p in self._chats.people()
        )
        form = (
            '<h2>Somebody new</h2><form method="post"><input name="name" required maxlength="64"'
            ' placeholder="First name"><input name="language" value="fr" maxlength="5"'
            ' aria-label="Language"><button>Take a phone</button></form>'
        )
        return page("Whose phone?", known + form)

    async def _be_somebody(self, request: web.Request) -> web.Response:
        self._admit(request)
        name, language = await _form(request, "name"), await _form(request, "language")
        person = Person(secrets.randbelow(9 * 10**8) + 10**8, name or "Somebody", language or "en")
        self._chats.keep_person(person)
        raise web.HTTPSeeOther(f"/phones/{person.id}")

    async def _phone(self, request: web.Request) -> web.Response:
        self._admit(request)
        return self._phone_page(self._person(request), "")

    def _phone_page(self, person: Person, problem: str) -> web.Response:
        bots = "".join(
            f'<a class="card" href="/phones/{person.id}/{bot.username}">'
            f"<strong>{escape(bot.name)}</strong>"
            f'<span class="quiet">@{bot.username} - token <code>{bot.token}</code></span></a>'
            for bot in self._chats.bots()
        )
        form = (
            f'<h2>BotFather</h2><p class="quiet">{escape(problem)}</p><form method="post">'
            '<input name="name" required placeholder="The bot\'s name"><input name="username"'
            ' required placeholder="its_username_bot"><button>New bot</button></form>'
            '<p><a href="/">Another phone</a></p>'
        )
        return page(f"{person.name}'s phone", bots + form, status=422 if problem else 200)

    async def _make_bot(self, request: web.Request) -> web.Response:
        self._admit(request)
        person = self._person(request)
        name, username = await _form(request, "name"), await _form(request, "username")
        try:
            self._chats.create_bot(name, username)
        except BadRequestError as problem:
            return self._phone_page(person, str(problem))
        raise web.HTTPSeeOther(f"/phones/{person.id}")

    async def _new_bot(self, request: web.Request) -> web.Response:
        """What t.me/newbot/MANAGER/USERNAME?name=... shows on a phone."""
        self._admit(request)
        return self._new_bot_page(request, "")

    def _new_bot_page(self, request: web.Request, problem: str) -> web.Response:
        name, username = request.query.get("name", ""), request.match_info["username"]
        people = "".join(
            f'<option value="{p.id}">{escape(p.name)}</option>' for p in self._chats.people()
        )
        body = (
            f"<p>A bot of yours, run by @{escape(request.match_info['manager'])}:</p>"
            f'<p class="quiet">{escape(problem)}</p><form method="post">'
            f'<input name="name" value="{escape(name)}" required maxlength="64">'
            f'<input value="@{escape(username)}" readonly aria-label="Username">'
            f'<select name="person" aria-label="Whose phone">{people}</select>'
            '<input name="somebody" placeholder="or somebody new: first name" maxlength="64">'
            "<button>Create</button></form>"
        )
        return page("Create a bot", body, status=422 if problem else 200)

    async def _make_managed(self, request: web.Request) -> web.Response:
        self._admit(request)
        manager = self._chats.bot_named(request.match_info["manager"])
        maker = await self._maker(request)
        if manager is None or maker is None:
            return self._new_bot_page(request, "Say who you are.")
        name, username = await _form(request, "name"), request.match_info["username"]
        try:
            bot = self._telegram.make_bot(maker, manager, name, username)
        except BadRequestError as problem:
            return self._new_bot_page(request, str(problem))
        raise web.HTTPSeeOther(f"/phones/{maker.id}/{bot.username}")

    async def _maker(self, request: web.Request) -> Person | None:
        if somebody := await _form(request, "somebody"):
            return Person(secrets.randbelow(9 * 10**8) + 10**8, somebody, "en")
        number = await _form(request, "person")
        return self._chats.person(int(number)) if number.isdigit() else None

    async def _chat(self, request: web.Request) -> web.Response:
        self._admit(request)
        person, bot = self._person(request), self._bot(request)
        body = (
            f'<iframe title="Messages" src="/phones/{person.id}/{bot.username}/messages"></iframe>'
            '<form method="post"><input name="text" required autofocus autocomplete="off"'
            ' maxlength="4096" placeholder="Message"><button>Send</button></form>'
            f'<p><a href="/phones/{person.id}">All bots</a></p>'
        )
        return page(bot.name, body)

    async def _messages(self, request: web.Request) -> web.Response:
        self._admit(request)
        person, bot = self._person(request), self._bot(request)
        messages = self._chats.chat(bot, person.id)
        body = "".join(_bubble(message) for message in reversed(messages[-200:]))
        empty = '<p class="quiet">Nothing yet: write the first word.</p>'
        return page("", f'<div class="chat">{body or empty}</div>', refresh=REFRESH_SECONDS)

    async def _write(self, request: web.Request) -> web.Response:
        self._admit(request)
        person, bot = self._person(request), self._bot(request)
        if text := await _form(request, "text"):
            self._telegram.write(person, bot, text)
        raise web.HTTPSeeOther(f"/phones/{person.id}/{bot.username}")

    def _admit(self, request: web.Request) -> None:
        """Neither a guest nor a page of another site may act as a person with a phone."""
        origin = request.headers.get("Origin")
        if not comes_from(request, self._telegram.hosts):
            raise web.HTTPForbidden(text="Only people on the sandbox's own machine have a phone.")
        if not asked_by_address(request) or origin not in (None, f"http://{request.host}"):
            raise web.HTTPForbidden(text="Open this page itself and send the form from there.")

    def _person(self, request: web.Request) -> Person:
        person = self._chats.person(int(request.match_info["person"]))
        if person is None:
            raise web.HTTPNotFound(text="Nobody has this phone: take one at /.")
        return person

    def _bot(self, request: web.Request) -> Bot:
        bot = self._chats.bot_named(request.match_info["bot"])
        if bot is None:
            raise web.HTTPNotFound(text="There is no such bot: make it with BotFather first.")
        return bot


def _bubble(message: Message) -> str:
    mine = "" if message.by_bot else " mine"
    return f'<div class="card{mine}"><pre>{linked(message.text)}</pre></div>'


async def _form(request: web.Request, name: str) -> str:
    value = (await request.post()).get(name)
    return value.strip() if isinstance(value, str) else ""
