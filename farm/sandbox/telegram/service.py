"""The Bot API over HTTP: token, method and parameters in, {"ok": ..., "result": ...} out."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from farm.sandbox.callers import comes_from
from farm.sandbox.faults import Answer, Gate, Passage
from farm.sandbox.faults_http import pass_gate
from farm.sandbox.telegram.chats import Bot, Chats, Message, Person
from farm.sandbox.telegram.methods import Methods, TelegramError
from farm.sandbox.telegram.polls import Polls
from farm.sandbox.wire import BadRequestError, Json, JsonObject, answer

CONFLICT = 409
_TOKEN = re.compile(r"(\d{1,18}):([\w-]{10,64})")


@dataclass(slots=True)
class Telegram:
    """The chats, and who waits for what; `hosts` are the addresses of this machine itself."""

    chats: Chats
    gate: Gate
    hosts: frozenset[str]
    polls: Polls = field(default_factory=Polls)
    conflicts: Counter[int] = field(default_factory=Counter)
    """By bot: how often a reader that was still there was told that there is another."""

    def write(self, person: Person, bot: Bot, text: str) -> Message:
        """A person writes to a bot."""
        self.chats.keep_person(person)
        message = self.chats.say(bot, person.id, text, by_bot=False)
        self.polls.wake(bot.id)
        return message

    def make_bot(self, maker: Person, manager: Bot, name: str, username: str) -> Bot:
        """A person makes a bot from a manager's link."""
        self.chats.keep_person(maker)
        bot = self.chats.make_managed(manager, maker, name, username)
        self.polls.wake(manager.id)
        return bot

    def add_routes(self, application: web.Application) -> None:
        """The Bot API, and the end of all long polls when the service stops."""
        methods = Methods(self.chats, self.polls)

        async def call(request: web.Request) -> web.StreamResponse:
            async def called(_: Passage) -> web.StreamResponse:
                return await self._called(request, methods)

            gate = self.gate if comes_from(request, self.hosts) else Gate()
            detail = f"{request.method} {request.match_info['method']}"
            return await pass_gate(
                gate, request, kind="telegram", detail=detail, handler=called, refuse=_ordered
            )

        async def stop(_: web.Application) -> None:
            self.polls.close()

        application.router.add_route("*", "/bot{token}/{method}", call)
        application.on_shutdown.append(stop)

    async def _called(self, request: web.Request, methods: Methods) -> web.Response:
        bot = None
        try:
            bot = self._bot(request.match_info["token"])
            method = methods.find(request.match_info["method"])
            result = await method(bot, await _parameters(request))
        except TelegramError as error:
            if bot and error.code == CONFLICT and request.transport is not None:
                self.conflicts[bot.id] += 1
            return _error(error.code, str(error))
        except BadRequestError as error:
            return _error(400, f"Bad Request: {error}")
        return answer({"ok": True, "result": result})

    def _bot(self, token: str) -> Bot:
        parts = _TOKEN.fullmatch(token)
        if parts is None:
            raise TelegramError(404, "Not Found")
        bot = self.chats.bot(int(parts[1]), parts[2])
        if bot is None:
            raise TelegramError(401, "Unauthorized")
        return bot


def _error(code: int, description: str) -> web.Response:
    return answer({"ok": False, "error_code": code, "description": description}, code)


def _ordered(ordered: Answer) -> web.Response:
    """A fault's answer in Telegram's envelope."""
    body: dict[str, Json] = {
        "ok": False,
        "error_code": ordered.status,
        "description": ordered.message or ordered.code,
    }
    if ordered.retry_after is not None:
        body["parameters"] = {"retry_after": int(ordered.retry_after)}
    return answer(body, ordered.status)


async def _parameters(request: web.Request) -> JsonObject:
    """From the query, a form or a JSON object, as Telegram takes them all."""
    fields: dict[str, Json] = dict(request.query)
    if request.content_type == "application/json":
        return fields | _json_object(await request.read())
    posted = await request.post()
    return fields | {name: value for name, value in posted.items() if isinstance(value, str)}


def _json_object(raw: bytes) -> dict[str, Json]:
    try:
        body: Json = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        raise TelegramError(400, "Bad Request: can't parse JSON object") from None
    return dict(body) if isinstance(body, Mapping) else {}
