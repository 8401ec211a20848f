"""Slack over HTTP: token, method and parameters in, {"ok": ...} out, and the sockets beside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from farm.sandbox.callers import comes_from
from farm.sandbox.faults import Answer, Gate, Passage
from farm.sandbox.faults_http import pass_gate
from farm.sandbox.slack.methods import Methods, SlackError
from farm.sandbox.slack.sockets import Sockets
from farm.sandbox.slack.workspace import App, Message, Person, Workspace
from farm.sandbox.wire import BadRequestError, Json, JsonObject, answer


@dataclass(slots=True)
class Slack:
    """The workspace, and who listens; `hosts` are the addresses of this machine itself."""

    workspace: Workspace
    sockets: Sockets
    gate: Gate
    hosts: frozenset[str]

    async def write(self, person: Person, app: App, text: str) -> Message:
        """A person writes to an app's bot."""
        message = self.workspace.say(app, person.id, text, by_bot=False)
        await self.sockets.tell(app, message)
        return message

    def add_routes(self, application: web.Application) -> None:
        """The Web API and the sockets."""
        methods = Methods(self.workspace, self.sockets)

        async def call(request: web.Request) -> web.StreamResponse:
            async def called(_: Passage) -> web.StreamResponse:
                return await self._called(request, methods)

            gate = self.gate if comes_from(request, self.hosts) else Gate()
            detail = f"{request.method} {request.match_info['method']}"
            return await pass_gate(
                gate, request, kind="slack", detail=detail, handler=called, refuse=_ordered
            )

        async def stop(_: web.Application) -> None:
            await self.sockets.close()

        application.router.add_route("*", "/api/{method}", call)
        application.router.add_get("/socket", self.sockets.serve)
        application.on_shutdown.append(stop)

    async def _called(self, request: web.Request, methods: Methods) -> web.Response:
        try:
            fields = await _parameters(request)
            told = methods.call(request.match_info["method"], _token(request, fields), fields)
        except SlackError as error:
            return answer({"ok": False, "error": error.code, **error.more})
        except (BadRequestError, ValueError):
            return answer({"ok": False, "error": "invalid_arguments"})
        return answer({"ok": True, **told})


def _ordered(ordered: Answer) -> web.Response:
    """A fault's answer in Slack's envelope."""
    headers: dict[str, str] = {}
    if ordered.retry_after is not None:
        headers["Retry-After"] = str(int(ordered.retry_after))
    body: dict[str, Json] = {"ok": False, "error": ordered.code or "internal_error"}
    return web.json_response(body, status=ordered.status, headers=headers)


def _token(request: web.Request, fields: JsonObject) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    given = fields.get("token")
    return given if isinstance(given, str) else ""


async def _parameters(request: web.Request) -> JsonObject:
    """From the query, a form or a JSON object, as Slack takes them all."""
    fields: dict[str, Json] = dict(request.query)
    if request.content_type == "application/json":
        return fields | _json_object(await request.read())
    posted = await request.post()
    return fields | {name: value for name, value in posted.items() if isinstance(value, str)}


def _json_object(raw: bytes) -> dict[str, Json]:
    try:
        body: Json = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        raise SlackError("invalid_json") from None
    return dict(body) if isinstance(body, Mapping) else {}
