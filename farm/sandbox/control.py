"""The control endpoint: what tests and the operator of a sandbox may see and change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta

from aiohttp import web

from farm.sandbox.clock import Clock
from farm.sandbox.guests.base import GuestKind
from farm.sandbox.images import ImageWatch
from farm.sandbox.wire import BadRequestError, Json, answer, number_of, read_object

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_OWN_NAMES = ("127.0.0.1", "localhost")


def control_application(
    *route_lists: Iterable[web.AbstractRouteDef],
    clock: Clock,
    guests: GuestKind,
    images: ImageWatch,
) -> web.Application:
    """The routes of every service, and GET /status, GET and POST /clock."""
    application = web.Application(middlewares=[_only_programs_here, _sentences])
    for routes in route_lists:
        application.add_routes(routes)
    application.add_routes(clock_routes(clock))

    async def status(_: web.Request) -> web.Response:
        shown = _guests_status(guests, images)
        return answer({"guests": shown, "clock": _clock(clock)})

    application.router.add_get("/status", status)
    return application


def clock_routes(clock: Clock) -> list[web.RouteDef]:
    """POST /clock takes {"speed": N} (1 is real time) or {"advance": SECONDS}."""

    async def show(_: web.Request) -> web.Response:
        return answer(_clock(clock))

    async def change(request: web.Request) -> web.Response:
        fields = await read_object(request)
        if "speed" not in fields and "advance" not in fields:
            raise BadRequestError('Send {"speed": 60} or {"advance": 3600}.')
        try:
            if "speed" in fields:
                clock.set_speed(number_of(fields, "speed"))
            if "advance" in fields:
                clock.advance(timedelta(seconds=number_of(fields, "advance")))
        except (ValueError, OverflowError) as error:
            raise BadRequestError(str(error)) from None
        return answer(_clock(clock))

    return [web.get("/clock", show), web.post("/clock", change)]


def _clock(clock: Clock) -> dict[str, Json]:
    return {"now": clock.now().isoformat(), "speed": clock.speed}


def _guests_status(guests: GuestKind, images: ImageWatch) -> dict[str, Json]:
    return {
        "kind": guests.kind,
        "why": guests.why,
        "ssh_port": guests.ssh_port,
        "images": [
            {"name": image.name, "ready": image.name in images.ready} for image in guests.images()
        ],
        "progress": guests.progress(),
        "problem": images.problem,
    }


@web.middleware
async def _only_programs_here(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """A page in somebody's browser can reach loopback: it must not be able to order anything."""
    if request.url.host not in _OWN_NAMES:
        return answer({"error": "The control endpoint answers to 127.0.0.1 only."}, 403)
    if request.method == "POST" and request.content_type != "application/json":
        return answer({"error": "Send JSON with Content-Type: application/json."}, 415)
    return await handler(request)


@web.middleware
async def _sentences(request: web.Request, handler: _Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except BadRequestError as error:
        return answer({"error": str(error)}, 422)
