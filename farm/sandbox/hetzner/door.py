"""What every request passes: the gate, the route, the token, the budget; and the envelope."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from email.utils import format_datetime

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from farm.sandbox.faults import Answer, Passage
from farm.sandbox.faults_http import pass_gate
from farm.sandbox.hetzner.body import read_body
from farm.sandbox.hetzner.calls import Call, Operation
from farm.sandbox.hetzner.cloud import HetznerCloud
from farm.sandbox.hetzner.errors import ApiError
from farm.sandbox.hetzner.records import Project

TOLD_WORDS = ("name", "server_type", "location")
READING = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})
REFUSALS = {404: ("not_found", "api route not found"), 405: ("method_not_allowed", "not allowed")}

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PASSAGE = web.RequestKey("passage", Passage)
PROJECT = web.RequestKey("project", Project)


def door(cloud: HetznerCloud) -> Middleware:
    """Pass the gate, answer in the official envelope, tell the rate limit."""

    @web.middleware
    async def pass_door(request: web.Request, handler: Handler) -> web.StreamResponse:
        async def answer(passage: Passage) -> web.StreamResponse:
            request[PASSAGE] = passage
            return _dressed(cloud, request, await _enveloped(handler, request))

        return await pass_gate(
            cloud.gate,
            request,
            kind="hetzner",
            detail=await _detail(request),
            handler=answer,
            refuse=lambda ordered: _refusal(cloud, ordered),
        )

    return pass_door


def behind(cloud: HetznerCloud, operation: Operation) -> Handler:
    """The operation for whoever has a token and requests left."""

    async def handle(request: web.Request) -> web.StreamResponse:
        project = request[PROJECT] = _authorized(cloud, request)
        if not cloud.budget(project).take(cloud.clock.now()):
            raise _too_many()
        return await operation(
            Call(
                cloud=cloud,
                project=project,
                url=request.url,
                path=request.match_info,
                body=read_body(await request.read()),
                fault=request[PASSAGE].action,
            )
        )

    return handle


async def _enveloped(handler: Handler, request: web.Request) -> web.StreamResponse:
    try:
        return await handler(request)
    except ApiError as refusal:
        return _answer(refusal)
    except web.HTTPException as refusal:
        code, message = REFUSALS.get(refusal.status, ("invalid_input", refusal.reason))
        return _answer(ApiError(refusal.status, code, message))
    except Exception:
        # A fault of this cloud is told as the real one tells its own.
        log.exception("%s %s failed.", request.method, request.path)
        return _answer(ApiError(500, "server_error", "An internal server error occurred"))


def _answer(refusal: ApiError) -> web.Response:
    return web.json_response(refusal.envelope(), status=refusal.status)


def _dressed(
    cloud: HetznerCloud, request: web.Request, response: web.StreamResponse
) -> web.StreamResponse:
    """The answer with the headers that the real cloud sends; its hour is this cloud's."""
    response.headers[hdrs.DATE] = format_datetime(cloud.clock.now(), usegmt=True)
    response.headers["X-Correlation-Id"] = secrets.token_hex(8)
    if PROJECT in request:
        response.headers.update(cloud.budget(request[PROJECT]).headers())
    return response


def _refusal(cloud: HetznerCloud, ordered: Answer) -> web.Response:
    """What a fault orders, in this API's envelope."""
    response = _answer(ApiError(ordered.status, ordered.code, ordered.message, ordered.details))
    now = cloud.clock.now()
    response.headers[hdrs.DATE] = format_datetime(now, usegmt=True)
    if ordered.retry_after is not None:
        response.headers["RateLimit-Reset"] = str(round(now.timestamp() + ordered.retry_after))
    return response


def _authorized(cloud: HetznerCloud, request: web.Request) -> Project:
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise ApiError(401, "unauthorized", "token is required")
    project = cloud.books.project_with(token.strip())
    if project is None:
        raise ApiError(401, "unauthorized", "the token you have provided is invalid")
    if token.strip() == project.read_token and request.method not in READING:
        raise ApiError(401, "token_readonly", "the token is only allowed to perform GET requests")
    return project


def _too_many() -> ApiError:
    return ApiError(429, "rate_limit_exceeded", "limit of 3600 requests per hour reached")


async def _detail(request: web.Request) -> str:
    """The request in words that a fault can match: "POST /servers name=a location=fsn1"."""
    words = [f"{request.method} {request.path.removeprefix('/v1')}"]
    try:
        fields = read_body(await request.read()).fields
    except ApiError:
        return words[0]
    words += [f"{word}={fields[word]}" for word in TOLD_WORDS if word in fields]
    return " ".join(words)
