"""The way of the machines to the farm's relay: what a proxy at the farm's address on the net does.

A machine cannot call this machine itself, as it could not call a laptop behind a router. A port
among the guests stands for the relay's public address; it says who calls in one header, whatever
the caller says of itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, web
from yarl import URL

CLIENT_HEADER: Final = "X-Farm-Client"
_LARGEST = 64 * 1024 * 1024
_OWN = frozenset(
    {
        *("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host"),
        *("content-length", "x-forwarded-for", "forwarded", CLIENT_HEADER.lower()),
    }
)


def relay_way(relay: str) -> web.Application:
    """Everything goes to `relay`, the address at which the farm's relay listens."""
    application = web.Application(client_max_size=_LARGEST)

    async def pass_on(request: web.Request) -> web.StreamResponse:
        return await _passed_on(request, application[_SESSION], relay.rstrip("/"))

    async def session(app: web.Application) -> AsyncIterator[None]:
        async with ClientSession(timeout=ClientTimeout(), auto_decompress=False) as opened:
            app[_SESSION] = opened
            yield

    application.cleanup_ctx.append(session)
    application.router.add_route("*", "/{path:.*}", pass_on)
    return application


_SESSION: Final = web.AppKey("session", ClientSession)


async def _passed_on(
    request: web.Request, session: ClientSession, relay: str
) -> web.StreamResponse:
    headers = {name: value for name, value in request.headers.items() if name.lower() not in _OWN}
    headers[CLIENT_HEADER] = request.remote or ""
    try:
        async with session.request(
            request.method,
            URL(relay + request.raw_path, encoded=True),
            headers=headers,
            data=request.content if request.body_exists else None,
            allow_redirects=False,
        ) as answer:
            return await _streamed_back(request, answer)
    except (ClientError, OSError):
        return web.json_response({"error": {"message": "The farm's relay is down."}}, status=502)


async def _streamed_back(request: web.Request, answer: ClientResponse) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status)
    for name, value in answer.headers.items():
        if name.lower() not in _OWN:
            response.headers[name] = value
    await response.prepare(request)
    async for chunk in answer.content.iter_any():
        await response.write(chunk)
    await response.write_eof()
    return response
