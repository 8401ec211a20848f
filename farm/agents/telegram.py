"""The few calls of Telegram's Bot API that the farm makes, always in a member's name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings

from farm.outbound import Request, Unreachable, fetch


class TokenRefused(Exception):  # noqa: N818
    """Telegram knows no bot of that token."""


class BotBusy(Exception):  # noqa: N818
    """Telegram refused this call for now; nothing was done. `retry_after` is in seconds."""

    def __init__(self, message: str, *, retry_after: float = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotBegun(BotBusy):
    """The person has not pressed “Start” in the bot's chat yet: a bot may not write first."""


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot as Telegram names it."""

    id: int
    username: str


@dataclass(frozen=True, slots=True)
class Note:
    """A text that a person sent to the bot in a private chat."""

    user_id: str
    user_name: str
    text: str


@dataclass(frozen=True, slots=True)
class Notes:
    """What came in, and the offset to ask from next time."""

    notes: tuple[Note, ...]
    next_offset: int


@dataclass(frozen=True, slots=True)
class Making:
    """A bot that a person made from a manager bot's link."""

    maker_id: str
    maker_name: str
    bot: Bot


@dataclass(frozen=True, slots=True)
class Makings:
    """What a manager bot was told, and the offset to ask from next time."""

    makings: tuple[Making, ...]
    next_offset: int


def get_me(token: str) -> Bot:
    """The bot of this token. TokenRefused, BotBusy or Unreachable."""
    result = _call(token, "getMe", {})
    if not isinstance(result, dict):
        raise Unreachable("Telegram answers something unknown")
    return Bot(id=int(result["id"]), username=str(result["username"])[:64])


def get_notes(token: str, *, offset: int) -> Notes:
    """What people sent since `offset`; asking from an offset forgets all before it."""
    updates = _updates(token, offset, ("message",))
    notes = tuple(note for update in updates if (note := _note_in(update)))
    return Notes(notes=notes, next_offset=_following(updates, offset))


def get_makings(token: str, *, offset: int) -> Makings:
    """The bots that people made from this manager bot's link since `offset`, as for `get_notes`."""
    updates = _updates(token, offset, ("managed_bot",))
    makings = tuple(making for update in updates if (making := _making_in(update)))
    return Makings(makings=makings, next_offset=_following(updates, offset))


def token_of_managed(token: str, bot_id: int) -> str:
    """The token of a bot that was made from this manager bot's link."""
    return str(_call(token, "getManagedBotToken", {"user_id": bot_id}))


def send_text(token: str, *, chat_id: str, text: str) -> None:
    """Send a text. Unreachable.maybe_received if it may have arrived all the same."""
    _call(token, "sendMessage", {"chat_id": int(chat_id), "text": text[:4096]})


def _note_in(update: Mapping[str, object]) -> Note | None:
    message = update.get("message")
    if not isinstance(message, dict):
        return None
    sender, chat, text = message.get("from"), message.get("chat"), message.get("text")
    if not (isinstance(sender, dict) and isinstance(chat, dict) and isinstance(text, str)):
        return None
    if chat.get("type") != "private" or sender.get("is_bot"):
        return None
    return Note(user_id=str(int(sender["id"])), user_name=_name_of(sender), text=text)


def _making_in(update: Mapping[str, object]) -> Making | None:
    made = update.get("managed_bot")
    if not isinstance(made, dict):
        return None
    maker, bot = made.get("user"), made.get("bot")
    if not (isinstance(maker, dict) and isinstance(bot, dict)):
        return None
    return Making(
        maker_id=str(int(maker["id"])),
        maker_name=_name_of(maker),
        bot=Bot(id=int(bot["id"]), username=str(bot.get("username", ""))[:64]),
    )


def _name_of(person: Mapping[str, object]) -> str:
    words = (str(person[key]) for key in ("first_name", "last_name") if person.get(key))
    return " ".join(words)[:80]


def _updates(token: str, offset: int, kinds: Sequence[str]) -> list[dict[str, object]]:
    wish = {"offset": offset, "timeout": 0, "limit": 50, "allowed_updates": list(kinds)}
    result = _call(token, "getUpdates", wish)
    found = result if isinstance(result, list) else []
    return [update for update in found if isinstance(update, dict)]


def _following(updates: Sequence[Mapping[str, object]], offset: int) -> int:
    return max((int(str(update["update_id"])) + 1 for update in updates), default=offset)


def _call(token: str, method: str, parameters: Mapping[str, object]) -> object:
    answer = fetch(
        Request(
            method="POST",
            url=f"{settings.TELEGRAM_ENDPOINT.rstrip('/')}/bot{token}/{method}",
            headers={"Content-Type": "application/json"},
            body=json.dumps(parameters).encode(),
        )
    )
    if answer.status in (401, 404):
        raise TokenRefused
    envelope = _envelope(answer.body)
    if answer.status == 403:
        raise NotBegun("Telegram answers 403")
    if answer.status != 200 or not envelope.get("ok"):
        raise BotBusy(f"Telegram answers {answer.status}", retry_after=_retry_after(envelope))
    return envelope.get("result")


def _envelope(body: bytes) -> Mapping[str, object]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _retry_after(envelope: Mapping[str, object]) -> float:
    parameters = envelope.get("parameters")
    seconds = parameters.get("retry_after") if isinstance(parameters, dict) else None
    return float(seconds) if isinstance(seconds, int) else 5.0
