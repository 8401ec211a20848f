"""The Web API's methods, as far as the farm and OpenClaw call them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from farm.sandbox.slack.sockets import Sockets
from farm.sandbox.slack.workspace import TEAM, TEAM_ID, App, Message, Workspace, chat_of
from farm.sandbox.wire import Json, JsonObject, text_of

LONGEST_TEXT = 40_000
BOT, APP = "xoxb-", "xapp-"


class SlackError(Exception):
    """An answer with "ok": false; `code` is Slack's word."""

    def __init__(self, code: str, more: Mapping[str, Json] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.more = more or {}


@dataclass(frozen=True, slots=True)
class Method:
    """What a method answers besides "ok", with which sort of token, and the scope it needs."""

    answers: Callable[[App, JsonObject], dict[str, Json]]
    scope: str = ""
    token: str = BOT


class Methods:
    """What an app can ask for."""

    def __init__(self, workspace: Workspace, sockets: Sockets) -> None:
        self._workspace = workspace
        self._sockets = sockets
        self._table: dict[str, Method] = {
            "auth.test": Method(self._auth_test),
            "apps.connections.open": Method(self._open, "connections:write", APP),
            "bots.info": Method(self._bots_info, "users:read"),
            "users.info": Method(self._users_info, "users:read"),
            "conversations.list": Method(self._conversations, "im:read"),
            "conversations.info": Method(self._conversation, "im:read"),
            "conversations.open": Method(self._open_chat, "im:write"),
            "conversations.history": Method(self._history, "im:history"),
            "conversations.replies": Method(self._history, "im:history"),
            "chat.postMessage": Method(self._post, "chat:write"),
            "chat.update": Method(self._update, "chat:write"),
            **{name: Method(_nothing) for name in _QUIET},
        }

    def call(self, name: str, token: str, fields: JsonObject) -> dict[str, Json]:
        """The answer of that method; SlackError as Slack would have it."""
        method = self._table.get(name)
        if method is None:
            raise SlackError("unknown_method", {"req_method": name})
        if not token:
            raise SlackError("not_authed")
        app = self._workspace.app_with(token)
        if app is None:
            raise SlackError("invalid_auth")
        if not token.startswith(method.token):
            raise SlackError("not_allowed_token_type")
        if method.scope and method.scope not in app.scopes:
            provided = ",".join(sorted(app.scopes))
            raise SlackError("missing_scope", {"needed": method.scope, "provided": provided})
        return method.answers(app, fields)

    def _auth_test(self, app: App, _: JsonObject) -> dict[str, Json]:
        return {
            "url": "https://sandbox.slack.com/",
            "team": TEAM,
            "team_id": TEAM_ID,
            "user": app.name,
            "user_id": app.bot_user,
            "bot_id": app.bot,
            "is_enterprise_install": False,
        }

    def _open(self, app: App, _: JsonObject) -> dict[str, Json]:
        return {"url": self._sockets.ticket(app)}

    def _bots_info(self, app: App, fields: JsonObject) -> dict[str, Json]:
        if text_of(fields, "bot", app.bot) != app.bot:
            raise SlackError("bot_not_found")
        bot: dict[str, Json] = {"id": app.bot, "app_id": app.id, "user_id": app.bot_user}
        return {"bot": {**bot, "name": app.name, "deleted": False}}

    def _users_info(self, app: App, fields: JsonObject) -> dict[str, Json]:
        number = text_of(fields, "user", "")
        person = self._workspace.person(number)
        if person is None and number != app.bot_user:
            raise SlackError("user_not_found")
        name = person.name if person else app.name
        shown: dict[str, Json] = {"id": number, "team_id": TEAM_ID, "name": name.lower()}
        profile: dict[str, Json] = {"real_name": name, "display_name": name}
        return {
            "user": {
                **shown, "real_name": name, "is_bot": person is None, "deleted": False,
                "profile": profile,
            }
        }  # fmt: skip

    def _conversations(self, app: App, _: JsonObject) -> dict[str, Json]:
        chats: list[Json] = [_chat(app, person) for person in self._workspace.partners(app)]
        return {"channels": chats, "response_metadata": {"next_cursor": ""}}

    def _conversation(self, app: App, fields: JsonObject) -> dict[str, Json]:
        return {"channel": _chat(app, self._partner(app, fields))}

    def _open_chat(self, app: App, fields: JsonObject) -> dict[str, Json]:
        person = text_of(fields, "users", "")
        if self._workspace.person(person) is None:
            raise SlackError("user_not_found")
        return {"channel": _chat(app, person), "no_op": True, "already_open": True}

    def _history(self, app: App, fields: JsonObject) -> dict[str, Json]:
        person = self._partner(app, fields)
        oldest = float(text_of(fields, "oldest", "0") or 0)
        said = [m for m in self._workspace.chat(app, person) if float(m.ts) > oldest]
        limit = min(int(text_of(fields, "limit", "100") or 100), 999)
        shown: list[Json] = [message_json(app, message) for message in reversed(said[-limit:])]
        return {"messages": shown, "has_more": False}

    def _post(self, app: App, fields: JsonObject) -> dict[str, Json]:
        text = text_of(fields, "text", "")
        if not text.strip():
            raise SlackError("no_text")
        if len(text) > LONGEST_TEXT:
            raise SlackError("msg_too_long")
        person = self._partner(app, fields)
        message = self._workspace.say(app, person, text, by_bot=True)
        channel = chat_of(app, person)
        return {"channel": channel, "ts": message.ts, "message": message_json(app, message)}

    def _update(self, app: App, fields: JsonObject) -> dict[str, Json]:
        ts, text = text_of(fields, "ts", ""), text_of(fields, "text", "")
        person = self._partner(app, fields)
        self._workspace.change(app, ts, text)
        return {"channel": chat_of(app, person), "ts": ts, "text": text}

    def _partner(self, app: App, fields: JsonObject) -> str:
        """Whom the channel is shared with; a user's id stands for their direct chat."""
        channel = text_of(fields, "channel", "")
        people = {person.id for person in self._workspace.people()}
        found = next((one for one in people if channel in (chat_of(app, one), one)), None)
        if found is None:
            raise SlackError("channel_not_found")
        return found


def message_json(app: App, message: Message) -> dict[str, Json]:
    """A message as the API and events carry it."""
    shown: dict[str, Json] = {"type": "message", "text": message.text, "ts": message.ts}
    if message.by_bot:
        return {**shown, "user": app.bot_user, "bot_id": app.bot, "app_id": app.id}
    return {**shown, "user": message.person, "team": TEAM_ID}


def _chat(app: App, person: str) -> dict[str, Json]:
    return {"id": chat_of(app, person), "is_im": True, "user": person, "is_user_deleted": False}


_QUIET = (
    "api.test",
    "assistant.threads.setStatus",
    "assistant.threads.setSuggestedPrompts",
    "assistant.threads.setTitle",
    "chat.delete",
    "conversations.mark",
    "reactions.add",
    "reactions.remove",
    "team.info",
)


def _nothing(_app: App, _fields: JsonObject) -> dict[str, Json]:
    return {}
