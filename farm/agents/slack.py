"""The few calls of Slack's Web API that the farm makes, always in a member's name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings

from farm.outbound import Request, Unreachable, fetch

SLACK = "https://slack.com/api"
DEAD_TOKENS = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"}
)
BUSY = frozenset({"ratelimited", "internal_error", "fatal_error", "service_unavailable"})
MOST_CHATS = 20


class SlackRefused(Exception):  # noqa: N818
    """Slack says no, and will again. `code` is its own word; `needed` a scope that is missing."""

    def __init__(self, code: str, needed: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.needed = needed


class SlackBusy(Exception):  # noqa: N818
    """Slack refused this call for now; nothing was done."""


@dataclass(frozen=True, slots=True)
class SlackBot:
    """A bot as Slack names it, in its workspace. `app_id` is "" where Slack does not tell."""

    user_id: str
    name: str
    team: str
    app_id: str


@dataclass(frozen=True, slots=True)
class Note:
    """A text that a person sent to the bot in a direct message."""

    user_id: str
    text: str


def who_am_i(bot_token: str) -> SlackBot:
    """The bot of this token, whose direct messages the farm may read."""
    told = _call(bot_token, "auth.test", {})
    shown = _object(_call(bot_token, "bots.info", {"bot": _word(told, "bot_id")}).get("bot"))
    _direct_messages(bot_token, limit=1)
    return SlackBot(
        user_id=_word(told, "user_id")[:20],
        name=(_word(shown, "name") or _word(told, "user"))[:80],
        team=_word(told, "team")[:80],
        app_id=_word(shown, "app_id"),
    )


def try_socket(app_token: str) -> None:
    """Ask for a line to listen on, as the agent will; it is not opened."""
    _call(app_token, "apps.connections.open", {})


def get_notes(bot_token: str, *, since: datetime) -> tuple[Note, ...]:
    """What people sent to the bot since then, in any order."""
    notes: list[Note] = []
    for chat in _direct_messages(bot_token, limit=MOST_CHATS):
        wish = {"channel": chat, "oldest": f"{since.timestamp():.6f}", "limit": "20"}
        said = _call(bot_token, "conversations.history", wish).get("messages")
        notes += [note for message in _objects(said) if (note := _note_in(message))]
    return tuple(notes)


def name_of(bot_token: str, user_id: str) -> str:
    """What the person is called there."""
    person = _object(_call(bot_token, "users.info", {"user": user_id}).get("user"))
    return (_word(person, "real_name") or _word(person, "name"))[:80]


def send_text(bot_token: str, *, user_id: str, text: str) -> None:
    """Send a text. Unreachable.maybe_received if it may have arrived all the same."""
    opened = _object(_call(bot_token, "conversations.open", {"users": user_id}).get("channel"))
    _call(bot_token, "chat.postMessage", {"channel": _word(opened, "id"), "text": text[:4000]})


def _direct_messages(bot_token: str, *, limit: int) -> tuple[str, ...]:
    listed = _call(bot_token, "conversations.list", {"types": "im", "limit": str(limit)})
    chats = (_word(channel, "id") for channel in _objects(listed.get("channels")))
    return tuple(chat for chat in chats if chat)[:limit]


def _note_in(message: Mapping[str, object]) -> Note | None:
    if message.get("bot_id") or message.get("subtype"):
        return None
    user_id, text = _word(message, "user"), _word(message, "text")
    return Note(user_id=user_id[:20], text=text) if user_id and text else None


def _call(token: str, method: str, wish: Mapping[str, str]) -> Mapping[str, object]:
    answer = fetch(
        Request(
            method="POST",
            url=f"{settings.SLACK_ENDPOINT.rstrip('/')}/{method}",
            headers={
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/x-www-form-urlencoded",
            },
            body=urlencode(wish).encode(),
        )
    )
    if answer.status == 429 or answer.status >= 500:
        raise SlackBusy(f"Slack answers {answer.status}")
    told = _parsed(answer.body)
    if told.get("ok") is True:
        return told
    code = _word(told, "error")
    if code in BUSY:
        raise SlackBusy(code)
    if not code:
        raise Unreachable("Slack answers something unknown")
    raise SlackRefused(code[:40], _word(told, "needed")[:60])


def _parsed(body: bytes) -> Mapping[str, object]:
    try:
        return _object(json.loads(body))
    except ValueError:
        return {}


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> tuple[Mapping[str, object], ...]:
    return tuple(_object(item) for item in value) if isinstance(value, list) else ()


def _word(values: Mapping[str, object], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""
