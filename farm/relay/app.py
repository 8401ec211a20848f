"""The relay as an ASGI application: its few paths, and 404 for everything else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as Path

from farm.relay.door import Relay
from farm.relay.routes import ROUTES, Route


def relay_application() -> Starlette:
    """A relay with connections and threads of its own; they end with it."""
    relay: list[Relay] = []

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        opened = Relay()
        relay.append(opened)
        sweeping = asyncio.create_task(opened.sweep())
        yield
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)
        await opened.close()

    def carrying(route: Route) -> Callable[[Request], Awaitable[Response]]:
        async def carry(request: Request) -> Response:
            return await relay[0].carry(request, route)

        return carry

    def listing(route: Route) -> Callable[[Request], Awaitable[Response]]:
        async def list_models(request: Request) -> Response:
            return await relay[0].list_models(request, route)

        return list_models

    calls = [Path(route.path, carrying(route), methods=["POST"]) for route in ROUTES]
    lists = [Path(route.list_path, listing(route), methods=["GET"]) for route in ROUTES]
    return Starlette(routes=[Path("/healthz", _health), *lists, *calls], lifespan=lifespan)


async def _health(_: Request) -> Response:
    return JSONResponse({"ok": True})
