"""Control routes of the model: its script, and what it was asked."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from farm.sandbox.model.pace import Pace, read_pace
from farm.sandbox.model.script import read_script
from farm.sandbox.model.service import Model
from farm.sandbox.wire import answer, read_object


def model_routes(model: Model) -> list[web.RouteDef]:
    """POST /model/script replaces the script, DELETE ends it; /model/pace does so for streams.

    GET /model/log is what it was asked, newest last.
    """

    async def script(request: web.Request) -> web.Response:
        model.script = read_script(await read_object(request))
        return answer({"turns": len(model.script)}, 201)

    async def unscript(_: web.Request) -> web.Response:
        model.script = ()
        return web.Response(status=204)

    async def pace(request: web.Request) -> web.Response:
        model.pace = read_pace(await read_object(request))
        return web.Response(status=204)

    async def usual_pace(_: web.Request) -> web.Response:
        model.pace = Pace()
        return web.Response(status=204)

    async def log(_: web.Request) -> web.Response:
        return answer({"requests": [asdict(request) for request in model.log]})

    async def forget(_: web.Request) -> web.Response:
        model.log.clear()
        return web.Response(status=204)

    return [
        web.post("/model/script", script),
        web.delete("/model/script", unscript),
        web.post("/model/pace", pace),
        web.delete("/model/pace", usual_pace),
        web.get("/model/log", log),
        web.delete("/model/log", forget),
    ]
