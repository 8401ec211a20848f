"""What every request passes: the gate, the route, the key; and the official way to refuse."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from aiohttp.typedefs import Middleware

from farm.sandbox.faults import Answer, Passage
from farm.sandbox.faults_http import pass_gate
from farm.sandbox.scaleway.calls import Call, Operation
from farm.sandbox.scaleway.cloud import ScalewayCloud
from farm.sandbox.scaleway.errors import ApiError, no_access, not_permitted
from farm.sandbox.scaleway.records import Project

TOLD_WORDS = ("name", "commercial_type", "action")
READING = ("GET", "HEAD")
PUBLIC = ("/product-catalog/", "/marketplace/")

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PASSAGE = web.RequestKey("passage", Passage)


def door(cloud: ScalewayCloud) -> Middleware:
    """Pass the gate, refuse in the official way."""

    @web.middleware
    async def pass_door(request: web.Request, handler: Handler) -> web.StreamResponse:
        async def answer(passage: Passage) -> web.StreamResponse:
            request[PASSAGE] = passage
            return await _enveloped(handler, request)

        return await pass_gate(
            cloud.gate,
            request,
            kind="scaleway",
            detail=await _detail(request),
            handler=answer,
            refuse=_refusal,
        )

    return pass_door


def behind(cloud: ScalewayCloud, operation: Operation) -> Handler:
    """The operation for whoever has a key."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return await operation(
            Call(
                cloud=cloud,
                project=_authorized(cloud, request),
                url=request.url,
                path=request.match_info,
                raw=await request.read(),
                fault=request[PASSAGE].action,
            )
        )

    return handle


def _authorized(cloud: ScalewayCloud, request: web.Request) -> Project:
    key = request.headers.get("X-Auth-Token", "")
    project = cloud.books.project_with(key)
    if project is None and not key and request.path.startswith(PUBLIC):
        # The marketplace and the price list are for everybody.
        return cloud.project
    if project is None:
        raise no_access()
    if key == project.read_key and request.method not in READING:
        raise not_permitted()
    return project


async def _enveloped(handler: Handler, request: web.Request) -> web.StreamResponse:
    try:
        return await handler(request)
    except ApiError as refusal:
        return _answer(refusal)
    except web.HTTPException as refusal:
        return _answer(ApiError(refusal.status, "not_found", refusal.reason))
    except Exception:
        # A fault of this cloud is told as the real one tells its own.
        log.exception("%s %s failed.", request.method, request.path)
        return _answer(ApiError(500, "internal_error", "internal error"))


def _answer(refusal: ApiError) -> web.Response:
    return web.json_response(refusal.body(), status=refusal.status)


def _refusal(ordered: Answer) -> web.Response:
    """What a fault orders, as this API says it."""
    response = _answer(ApiError(ordered.status, ordered.code, ordered.message, ordered.details))
    if ordered.retry_after is not None:
        response.headers["Retry-After"] = str(round(ordered.retry_after))
    return response


async def _detail(request: web.Request) -> str:
    """The request in words that a fault can match: "POST /instance/v1/... name=a"."""
    words = [f"{request.method} {request.path}"]
    try:
        fields = json.loads(await request.read() or b"{}")
    except ValueError:
        return words[0]
    if isinstance(fields, Mapping):
        words += [f"{word}={fields[word]}" for word in TOLD_WORDS if word in fields]
    return " ".join(words)
