"""The few calls of Telegram's Bot API that the farm makes, always in a member's name."""

from __future__ import annotations

import json
from collections.abc import Mapping
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


def get_me(token: str) -> Bot:
    """The bot of this token. TokenRefused, BotBusy or Unreachable."""
    result = _call(token, "getMe", {})
    if not isinstance(result, dict):
        raise Unreachable("Telegram answers something unknown")
    return Bot(id=int(result["id"]), username=str(result["username"])[:64])


def get_notes(token: str, *, offset: int) -> Notes:
    """What people sent since `offset`; asking from an offset forgets all before it."""
    parameters = {"offset": offset, "timeout": 0, "limit": 50}
    result = _call(token, "getUpdates", parameters)
    updates = (
        [update for update in result if isinstance(update, dict)]
        if isinstance(result, list)
        else []
    )
    following = max((int(update["update_id"]) + 1 for update in updates), default=offset)
    notes = tuple(note for update in updates if (note := _note_in(update)))
    return Notes(notes=notes, next_offset=following)


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
    name = " ".join(str(sender[key]) for key in ("first_name", "last_name") if sender.get(key))
    return Note(user_id=str(int(sender["id"])), user_name=name[:80], text=text)


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
