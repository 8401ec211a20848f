"""Control routes of Telegram: bots as BotFather makes them, and what people write and read."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from farm.sandbox.telegram.chats import Bot, Message, Person
from farm.sandbox.telegram.service import Telegram
from farm.sandbox.wire import BadRequestError, Json, answer, integer_of, read_object, text_of


def telegram_routes(telegram: Telegram) -> list[web.RouteDef]:
    """Bots as BotFather has them, and the messages between people and them."""
    return [*_bot_routes(telegram), *_message_routes(telegram)]


def _bot_routes(telegram: Telegram) -> list[web.RouteDef]:
    """POST /telegram/bots {name, username}, GET /telegram/bots (`polling`: one waits).

    Their `conflicts` count how often two read at once.
    POST /telegram/managed {manager, username, from, name}: that person makes a bot by link.
    """

    async def create_bot(request: web.Request) -> web.Response:
        fields = await read_object(request)
        bot = telegram.chats.create_bot(text_of(fields, "name"), text_of(fields, "username"))
        return answer(_bot(bot), 201)

    async def list_bots(_: web.Request) -> web.Response:
        shown = [
            {
                **_bot(bot),
                "polling": telegram.polls.is_open(bot.id),
                "conflicts": telegram.conflicts[bot.id],
            }
            for bot in telegram.chats.bots()
        ]
        return answer({"bots": shown})

    async def make_bot(request: web.Request) -> web.Response:
        fields = await read_object(request)
        maker = Person(integer_of(fields, "from"), text_of(fields, "name", "Somebody"), "en")
        manager = _named(telegram, text_of(fields, "manager"))
        username = text_of(fields, "username")
        return answer(_bot(telegram.make_bot(maker, manager, "Made by link", username)), 201)

    return [
        web.post("/telegram/bots", create_bot),
        web.get("/telegram/bots", list_bots),
        web.post("/telegram/managed", make_bot),
    ]


def _message_routes(telegram: Telegram) -> list[web.RouteDef]:
    """POST and GET /telegram/messages.

    POST {bot, from, name, text, language}: the person with the id `from` writes to `bot` (username
    or token). GET ?bot=...&chat=ID: that chat, or all of the bot's, oldest first; `by` is "bot" or
    "person".
    """

    async def write(request: web.Request) -> web.Response:
        fields = await read_object(request)
        person = Person(
            id=integer_of(fields, "from"),
            name=text_of(fields, "name", "Somebody"),
            language=text_of(fields, "language", "en"),
        )
        bot = _named(telegram, text_of(fields, "bot"))
        return answer(_message(telegram.write(person, bot, text_of(fields, "text"))), 201)

    async def read(request: web.Request) -> web.Response:
        bot = _named(telegram, request.query.get("bot", ""))
        person = integer_of(request.query, "chat") if "chat" in request.query else None
        messages = telegram.chats.chat(bot, person)
        return answer({"messages": [_message(message) for message in messages]})

    return [web.post("/telegram/messages", write), web.get("/telegram/messages", read)]


def _named(telegram: Telegram, name: str) -> Bot:
    bot = telegram.chats.bot_named(name)
    if bot is None:
        raise BadRequestError(f"There is no bot {name!r}: give the username or token of one.")
    return bot


def _bot(bot: Bot) -> dict[str, Json]:
    return {"id": bot.id, "username": bot.username, "name": bot.name, "token": bot.token}


def _message(message: Message) -> Json:
    by = "bot" if message.by_bot else "person"
    return {**asdict(message), "by": by}
