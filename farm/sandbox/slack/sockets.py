"""Socket mode: a ticket, a WebSocket, hello, and events that the app acknowledges."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping

from aiohttp import WSMsgType, web

from farm.sandbox.slack.workspace import TEAM_ID, App, Message, chat_of
from farm.sandbox.wire import Json

MOST_TICKETS = 1000


class Sockets:
    """The open sockets of all apps. `base` is where apps reach this service, as ws://host:port."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._tickets: dict[str, App] = {}
        self._open: dict[str, list[web.WebSocketResponse]] = {}
        self.acknowledged: set[str] = set()

    def ticket(self, app: App) -> str:
        """A URL that opens one socket."""
        ticket = secrets.token_urlsafe(16)
        self._tickets[ticket] = app
        while len(self._tickets) > MOST_TICKETS:
            del self._tickets[next(iter(self._tickets))]
        return f"{self._base}/socket?ticket={ticket}"

    def is_open(self, app: App) -> bool:
        """Whether somebody listens for the app."""
        return bool(self._open.get(app.id))

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One socket, until either side ends it."""
        app = self._tickets.pop(request.query.get("ticket", ""), None)
        if app is None:
            return web.Response(status=404, text="This ticket was used or never given.")
        socket = web.WebSocketResponse(heartbeat=20)
        await socket.prepare(request)
        self._open.setdefault(app.id, []).append(socket)
        try:
            await socket.send_json(_hello(app, len(self._open[app.id])))
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    self._acknowledge(frame.data)
        finally:
            self._open[app.id].remove(socket)
        return socket

    async def tell(self, app: App, message: Message) -> None:
        """Send the event to one of the app's sockets; with none open it is lost."""
        sockets = self._open.get(app.id)
        if sockets:
            await sockets[-1].send_json(_envelope(app, message))

    async def close(self) -> None:
        """Let all of them go: the service stops."""
        for sockets in list(self._open.values()):
            for socket in list(sockets):
                await socket.close()

    def _acknowledge(self, text: str) -> None:
        try:
            said = json.loads(text)
        except ValueError:
            return
        if isinstance(said, Mapping) and isinstance(said.get("envelope_id"), str):
            self.acknowledged.add(said["envelope_id"])


def _hello(app: App, connections: int) -> dict[str, Json]:
    about: dict[str, Json] = {"app_id": app.id}
    return {"type": "hello", "num_connections": connections, "connection_info": about}


def _envelope(app: App, message: Message) -> dict[str, Json]:
    authorization: dict[str, Json] = {
        "enterprise_id": None,
        "team_id": TEAM_ID,
        "user_id": app.bot_user,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    payload: dict[str, Json] = {
        "token": "sandbox",
        "team_id": TEAM_ID,
        "api_app_id": app.id,
        "type": "event_callback",
        "event_id": f"Ev{message.id:010d}",
        "event_time": message.at,
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
        "event": _event(app, message),
    }
    return {
        "envelope_id": secrets.token_hex(16),
        "type": "events_api",
        "accepts_response_payload": False,
        "retry_attempt": 0,
        "retry_reason": "",
        "payload": payload,
    }


def _event(app: App, message: Message) -> dict[str, Json]:
    return {
        "type": "message",
        "channel": chat_of(app, message.person),
        "channel_type": "im",
        "user": message.person,
        "text": message.text,
        "ts": message.ts,
        "event_ts": message.ts,
        "team": TEAM_ID,
        "client_msg_id": secrets.token_hex(16),
    }
