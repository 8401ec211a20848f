"""The Bot API's methods, as far as bots of the farm and OpenClaw call them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from html import unescape

from farm.sandbox.telegram.chats import MANAGER_BOT, Bot, Chats, Message
from farm.sandbox.telegram.polls import ConflictError, Polls
from farm.sandbox.wire import BadRequestError, Json, JsonObject, integer_of, object_of, text_of

Method = Callable[[Bot, JsonObject], Awaitable[Json]]

LONGEST_POLL = 50
LONGEST_TEXT = 4096
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_COMMAND = re.compile(r"/\w+")


class TelegramError(Exception):
    """An answer with "ok": false."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(description)
        self.code = code


class Methods:
    """What a bot can ask for; every method answers the `result`."""

    def __init__(self, chats: Chats, polls: Polls) -> None:
        self._chats = chats
        self._polls = polls
        self._table: dict[str, Method] = {
            "getme": self._get_me,
            "getupdates": self._get_updates,
            "sendmessage": self._send_message,
            "editmessagetext": self._edit_message_text,
            "deletemessage": self._delete_message,
            "getchat": self._get_chat,
            "getfile": self._get_file,
            "getwebhookinfo": self._get_webhook_info,
            "getmanagedbottoken": self._get_managed_bot_token,
            "getmycommands": _empty_list,
            "sendchataction": self._seen_chat,
            "setmessagereaction": self._seen_chat,
            **dict.fromkeys(_CONTENT, _content),
        }

    def find(self, name: str) -> Method:
        """The method of that name in any case; TelegramError 404 for an unknown one."""
        method = self._table.get(name.lower())
        if method is None:
            raise TelegramError(404, "Not Found")
        return method

    async def _get_me(self, bot: Bot, _: JsonObject) -> Json:
        return bot_json(bot) | {
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
            "can_manage_bots": bot.username == MANAGER_BOT,
        }

    async def _get_updates(self, bot: Bot, fields: JsonObject) -> Json:
        offset = integer_of(fields, "offset", 0)
        limit = min(max(integer_of(fields, "limit", 100), 1), 100)
        seconds = min(max(integer_of(fields, "timeout", 0), 0), LONGEST_POLL)
        self._polls.take_over(bot.id)
        self._chats.confirm(bot, offset)
        waiting = self._chats.waiting(bot, max(offset, 0), limit)
        if not waiting and seconds:
            await self._wait(bot, seconds)
            waiting = self._chats.waiting(bot, max(offset, 0), limit)
        return [self._update(bot, message) for message in waiting]

    def _update(self, bot: Bot, message: Message) -> Json:
        made = self._chats.made_by(message)
        if made is None:
            return {"update_id": message.id, "message": self._message(bot, message)}
        told: dict[str, Json] = {"user": self._sender(message.person), "bot": bot_json(made)}
        return {"update_id": message.id, "managed_bot": told}

    async def _get_managed_bot_token(self, bot: Bot, fields: JsonObject) -> Json:
        made = self._chats.managed(bot, integer_of(fields, "user_id"))
        if made is None:
            raise TelegramError(400, "Bad Request: BOT_INVALID")
        return made.token

    async def _wait(self, bot: Bot, seconds: int) -> None:
        try:
            await self._polls.wait(bot.id, seconds)
        except ConflictError:
            raise TelegramError(
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot"
                " instance is running",
            ) from None

    async def _send_message(self, bot: Bot, fields: JsonObject) -> Json:
        person = self._chat_id(bot, fields)
        return self._message(bot, self._chats.say(bot, person, _text(fields), by_bot=True))

    async def _edit_message_text(self, bot: Bot, fields: JsonObject) -> Json:
        person, number = self._chat_id(bot, fields), integer_of(fields, "message_id", 0)
        changed = self._chats.change(bot, person, number, _text(fields))
        if changed is None:
            raise TelegramError(400, "Bad Request: message to edit not found")
        return self._message(bot, changed)

    async def _delete_message(self, bot: Bot, fields: JsonObject) -> Json:
        person, number = self._chat_id(bot, fields), integer_of(fields, "message_id", 0)
        if not self._chats.remove(bot, person, number):
            raise TelegramError(400, "Bad Request: message to delete not found")
        return True

    async def _get_chat(self, bot: Bot, fields: JsonObject) -> Json:
        return self._chat(self._chat_id(bot, fields)) | {
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": {},
        }

    async def _seen_chat(self, bot: Bot, fields: JsonObject) -> Json:
        return self._chat_id(bot, fields) != 0

    async def _get_file(self, _bot: Bot, _fields: JsonObject) -> Json:
        raise TelegramError(400, "Bad Request: invalid file_id")

    async def _get_webhook_info(self, bot: Bot, _: JsonObject) -> Json:
        waiting = len(self._chats.waiting(bot, 0, LONGEST_TEXT))
        return {"url": "", "has_custom_certificate": False, "pending_update_count": waiting}

    def _chat_id(self, bot: Bot, fields: JsonObject) -> int:
        """The person's id, if a bot may write to them: people write first."""
        try:
            person = self._chats.person(integer_of(fields, "chat_id"))
        except BadRequestError:
            person = None
        if person is None:
            raise TelegramError(400, "Bad Request: chat not found")
        if not self._chats.chat(bot, person.id):
            raise TelegramError(403, "Forbidden: bot can't initiate conversation with a user")
        return person.id

    def _message(self, bot: Bot, message: Message) -> dict[str, Json]:
        chat = self._chat(message.person)
        sender = bot_json(bot) if message.by_bot else self._sender(message.person)
        shown: dict[str, Json] = {
            "message_id": message.id,
            "from": sender,
            "chat": chat,
            "date": message.at,
            "text": message.text,
        }
        if command := _COMMAND.match(message.text):
            shown["entities"] = [{"type": "bot_command", "offset": 0, "length": command.end()}]
        return shown

    def _chat(self, number: int) -> dict[str, Json]:
        person = self._chats.person(number)
        return {"id": number, "first_name": person.name if person else "", "type": "private"}

    def _sender(self, number: int) -> dict[str, Json]:
        person = self._chats.person(number)
        return {
            "id": number,
            "is_bot": False,
            "first_name": person.name if person else "",
            "language_code": person.language if person else "en",
        }


def bot_json(bot: Bot) -> dict[str, Json]:
    """A bot as a User of the Bot API."""
    return {"id": bot.id, "is_bot": True, "first_name": bot.name, "username": bot.username}


_CONTENT = (
    "deletewebhook",
    "setmycommands",
    "deletemycommands",
    "setmyname",
    "setmydescription",
    "setmyshortdescription",
    "setchatmenubutton",
    "answercallbackquery",
)


async def _content(_bot: Bot, _fields: JsonObject) -> Json:
    return True


async def _empty_list(_bot: Bot, _fields: JsonObject) -> Json:
    return []


def _text(fields: JsonObject) -> str:
    """The text as a phone shows it; a rich message is read as its HTML or Markdown source."""
    rich = object_of(fields, "rich_message")
    source = text_of(fields, "text", text_of(rich, "html", text_of(rich, "markdown", "")))
    html = text_of(fields, "parse_mode", "").upper() == "HTML" or "html" in rich
    text = unescape(_TAG.sub("", source)) if html else source
    if not text.strip():
        raise TelegramError(400, "Bad Request: message text is empty")
    if len(text) > LONGEST_TEXT:
        raise TelegramError(400, "Bad Request: message is too long")
    return text
