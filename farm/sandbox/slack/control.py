"""Control routes of Slack: apps, people, and what they write and read."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from farm.sandbox.slack.service import Slack
from farm.sandbox.slack.workspace import App, Message
from farm.sandbox.wire import BadRequestError, Json, answer, read_object, text_of


def slack_routes(slack: Slack) -> list[web.RouteDef]:
    """Apps as Slack's site makes them, and the messages between people and their bots."""
    return [*_app_routes(slack), *_message_routes(slack)]


def _app_routes(slack: Slack) -> list[web.RouteDef]:
    """POST /slack/apps {name}, GET /slack/apps (`listening`), POST /slack/scopes {app, scopes}."""

    async def install(request: web.Request) -> web.Response:
        fields = await read_object(request)
        return answer(_app(slack.workspace.install(text_of(fields, "name"))), 201)

    async def list_apps(_: web.Request) -> web.Response:
        shown = [
            {**_app(app), "listening": slack.sockets.is_open(app)} for app in slack.workspace.apps()
        ]
        return answer({"apps": shown})

    async def allow(request: web.Request) -> web.Response:
        fields = await read_object(request)
        app = _named(slack, text_of(fields, "app"))
        slack.workspace.allow(app, frozenset(text_of(fields, "scopes").split()))
        return answer({})

    return [
        web.post("/slack/apps", install),
        web.get("/slack/apps", list_apps),
        web.post("/slack/scopes", allow),
    ]


def _message_routes(slack: Slack) -> list[web.RouteDef]:
    """POST /slack/messages {app, from, name, text}; GET /slack/messages?app=...&from=... ."""

    async def write(request: web.Request) -> web.Response:
        fields = await read_object(request)
        app = _named(slack, text_of(fields, "app"))
        person = slack.workspace.join(text_of(fields, "name", "Somebody"), text_of(fields, "from"))
        return answer(_message(await slack.write(person, app, text_of(fields, "text"))), 201)

    async def read(request: web.Request) -> web.Response:
        app = _named(slack, request.query.get("app", ""))
        said = slack.workspace.chat(app, request.query.get("from", ""))
        return answer({"messages": [_message(message) for message in said]})

    return [web.post("/slack/messages", write), web.get("/slack/messages", read)]


def _named(slack: Slack, number: str) -> App:
    app = slack.workspace.app(number)
    if app is None:
        raise BadRequestError(f"There is no app {number!r}: give the id of one.")
    return app


def _app(app: App) -> dict[str, Json]:
    return {
        "id": app.id,
        "name": app.name,
        "bot_token": app.bot_token,
        "app_token": app.app_token,
        "scopes": sorted(app.scopes),
    }


def _message(message: Message) -> Json:
    return {**asdict(message), "by": "bot" if message.by_bot else "person"}
