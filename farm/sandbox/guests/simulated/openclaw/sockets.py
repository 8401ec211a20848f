"""The Control UI's WebSocket: a challenge, a connect, hello-ok, and then it stays open."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Sequence

from aiohttp import WSMsgType, web

from farm.sandbox.guests.simulated.openclaw.asking import Asking
from farm.sandbox.wire import Json

TICK_SECONDS = 0.5


async def talk(
    request: web.BaseRequest, asking: Asking, grantable: Sequence[str]
) -> web.WebSocketResponse:
    """Until either side hangs up; what the visitor is granted is at most `grantable`."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    challenge: dict[str, Json] = {"nonce": secrets.token_hex(8)}
    await _tell(socket, {"type": "event", "event": "connect.challenge", "payload": challenge})
    ticking = asyncio.get_running_loop().create_task(_tick(socket))
    try:
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            asked = json.loads(message.data)
            if isinstance(asked, dict) and asked.get("method") == "connect":
                await _tell(socket, _hello(asked.get("id"), asking, grantable))
    finally:
        ticking.cancel()
    return socket


def _hello(number: Json, asking: Asking, grantable: Sequence[str]) -> dict[str, Json]:
    scopes: list[Json] = [scope for scope in asking.scopes if scope in grantable]
    auth: dict[str, Json] = {"role": "operator", "scopes": scopes, "user": asking.user}
    payload: dict[str, Json] = {"type": "hello-ok", "auth": auth}
    return {"type": "res", "id": number, "ok": True, "payload": payload}


async def _tick(socket: web.WebSocketResponse) -> None:
    while not socket.closed:
        await asyncio.sleep(TICK_SECONDS)
        await _tell(socket, {"type": "event", "event": "tick"})


async def _tell(socket: web.WebSocketResponse, frame: dict[str, Json]) -> None:
    try:
        await socket.send_str(json.dumps(frame))
    except (ConnectionError, RuntimeError):
        return
