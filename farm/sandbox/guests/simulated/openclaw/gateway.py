"""The gateway: health, turns, remote control and a page, on the port the config names."""

from __future__ import annotations

import asyncio
import hashlib
import html
import json
import posixpath
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from farm.sandbox.guests.simulated.doorway import Doorway
from farm.sandbox.guests.simulated.openclaw.agent import Agent
from farm.sandbox.guests.simulated.openclaw.asking import Asking, Unattributed, who_asks
from farm.sandbox.guests.simulated.openclaw.boots import Boots
from farm.sandbox.guests.simulated.openclaw.channels import Channels, InvalidCallError
from farm.sandbox.guests.simulated.openclaw.config import Config, config_path
from farm.sandbox.guests.simulated.openclaw.model import ModelError, access_to
from farm.sandbox.guests.simulated.openclaw.papers import tls_of
from farm.sandbox.guests.simulated.openclaw.reloading import Reloading
from farm.sandbox.guests.simulated.openclaw.sockets import talk
from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.wire import Json

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>OpenClaw Control</title></head>
<body><main><h1>{name}</h1><p>Control UI of a simulated gateway.</p></main></body></html>
"""


class Gateway:
    """One running gateway."""

    def __init__(self, process: Process, version: str, config: Config) -> None:
        self._process, self._version, self._config = process, version, config
        home = process.env.get("HOME", "/root")
        self._state = process.env.get("OPENCLAW_STATE_DIR", posixpath.join(home, ".openclaw"))
        self._agent = Agent(process, config, self._state)
        self._started = False
        self._channels = Channels(process, config, self._agent, self._state)
        self._doorway: Doorway | None = None
        self._reloading = Reloading(process, config)

    async def run(self) -> int:
        """Serve until stopped; answers the exit code where it cannot."""
        self._look_for_secrets()
        return await self._serve()

    def _look_for_secrets(self) -> None:
        try:
            access_to(self._config)
        except ModelError as error:
            # A missing key stops no gateway: it shows as a degraded secret and in the first turn.
            self._process.complain(str(error))

    async def _serve(self) -> int:
        machine, boots = self._process.machine, Boots(self._process, self._state)
        port = self._config.at("gateway.port")
        number = port if isinstance(port, int) else 18789
        half = machine.around.timings.gateway / 2
        crashed = boots.begin()
        await machine.sleep(half)
        if number in machine.ports:
            self._process.complain(f"Port {number} is already in use")
            return 1
        server = web.Server(self._answer, access_log=None)
        try:
            self._open(number, server)
        except OSError as error:
            self._process.complain(f"gateway.tls: {error}")
            return 1
        try:
            await machine.sleep(half)
            self._channels.start_all(crashed=crashed)
            self._started = True
            self._process.say(f"[gateway] http server listening on 127.0.0.1:{number}")
            await asyncio.Event().wait()
        finally:
            machine.ports.pop(number, None)
            if self._doorway is not None:
                self._doorway.close()
            self._channels.close()
            if not machine.cut:
                boots.end()
            await server.shutdown(0.1)
        return 0

    def _open(self, number: int, server: web.Server) -> None:
        """Listen on loopback, and with TLS on the machine's own address if the config says so."""
        machine = self._process.machine
        if not self._config.yes("gateway.tls.enabled"):
            machine.ports[number] = server
            return
        self._doorway = Doorway(machine, number, server, tls_of(self._process, self._config))
        machine.ports[number] = self._doorway.bridge

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self._reloading.look()
        try:
            asking = self._asking(request)
        except Unattributed:
            return _error(403, "proxy_attribution_required", "Configure gateway.trustedProxies.")
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._talk(request, asking)
        route = ROUTES.get((request.method, request.path))
        if route is None:
            return web.json_response({"error": {"message": "Not Found"}}, status=404)
        return await route(self, request)

    async def live(self, _request: web.BaseRequest) -> web.Response:
        """/healthz: the process is there."""
        return web.json_response({"ok": True, "status": "live"})

    async def startup(self, _request: web.BaseRequest) -> web.Response:
        """/startupz: 200 once it serves."""
        return web.json_response({"started": self._started}, status=200 if self._started else 503)

    async def ready(self, _request: web.BaseRequest) -> web.Response:
        """/readyz: 503 while a channel fails; a suppressed one does not count."""
        failing, suppressed = self._channels.failing, self._channels.suppressed
        ready = self._started and not failing
        body = {"ready": ready, "failing": failing, "suppressed": suppressed}
        return web.json_response(body, status=200 if ready else 503)

    async def page(self, _request: web.BaseRequest) -> web.Response:
        """/: stands for the Control UI."""
        return web.Response(
            text=PAGE.format(name=html.escape(self._agent.name)), content_type="text/html"
        )

    def _asking(self, request: web.BaseRequest) -> Asking:
        transport = request.transport
        peer = transport.get_extra_info("peername") if transport else None
        inside = self._doorway is None or (peer is not None and self._doorway.is_inside(peer))
        return who_asks(self._config, request.headers, peer[0] if peer else "", inside=inside)

    def _may(self, request: web.BaseRequest, scope: str) -> bool:
        return scope in self._asking(request).scopes

    async def _talk(self, request: web.BaseRequest, asking: Asking) -> web.StreamResponse:
        """The Control UI's WebSocket, for its own origin and somebody known only."""
        allowed = self._config.words("gateway.controlUi.allowedOrigins")
        if request.headers.get("Origin") not in allowed:
            return _error(403, "CONTROL_UI_ORIGIN_NOT_ALLOWED", "Browser origin not allowed")
        if asking.user is None:
            return _error(401, "unauthorized", "Unauthorized")
        approved = "gateway.auth.trustedProxy.deviceAutoApprove.scopes"
        return await talk(request, asking, self._config.words(approved))

    async def complete(self, request: web.BaseRequest) -> web.Response:
        """/v1/chat/completions: one turn of the session that `user` names."""
        if not self._config.yes("gateway.http.endpoints.chatCompletions.enabled"):
            return web.json_response({"error": {"message": "Not Found"}}, status=404)
        if not self._may(request, "operator.write"):
            return _error(401, "unauthorized", "Unauthorized")
        wish = await _body(request)
        text = _last_text(wish.get("messages"))
        if not text:
            return _error(400, "invalid_request_error", "Missing user message in `messages`.")
        try:
            answer = await self._agent.turn(f"openai:{wish.get('user') or 'default'}", text)
        except ModelError as error:
            self._process.complain(f"[agent] turn failed: {error}")
            return _model_error(error)
        return web.json_response(_completion(answer, self._process.machine.seconds()))

    async def control(self, request: web.BaseRequest) -> web.Response:
        """/api/v1/admin/rpc: what the operator's program asks."""
        if not self._config.yes("plugins.entries.admin-http-rpc.enabled"):
            return web.json_response({"error": {"message": "Not Found"}}, status=404)
        if not self._may(request, "operator.admin"):
            return _error(401, "unauthorized", "Unauthorized")
        wish = await _body(request)
        method = str(wish.get("method"))
        params = wish.get("params")
        try:
            asked = params if isinstance(params, dict) else {}
            payload = self._payload(method) or await self._channels.call(method, asked)
        except InvalidCallError as error:
            return _invalid(str(error))
        if payload is None:
            return _invalid(f"admin HTTP RPC method is not supported: {method}")
        return web.json_response({"ok": True, "payload": payload})

    def _payload(self, method: str) -> dict[str, Json] | None:
        if method == "health":
            return {"ok": True, "version": self._version}
        if method == "status":
            owners: list[Json] = [{"owner": name} for name in sorted(set(self._config.degraded))]
            return {
                "version": self._version,
                "degradedSecretOwners": owners,
                "degradedPlugins": [],
                "sessions": {"recent": self._agent.sessions},
            }
        if method == "agents.list":
            return {"defaultId": self._config.agent_id, "agents": [self._agent.card]}
        if method == "config.get":
            raw = self._process.files.text(config_path(self._process))
            return {"raw": raw, "hash": hashlib.sha256(raw.encode()).hexdigest(), "valid": True}
        return self._suspension(method)

    def _suspension(self, method: str) -> dict[str, Json] | None:
        """What a host is told that wants to freeze it; nobody here holds it still for long."""
        if method == "gateway.suspend.prepare" and self._agent.turns:
            return {"status": "busy", "activeCount": self._agent.turns, "retryAfterMs": 20_000}
        if method == "gateway.suspend.prepare":
            return {"status": "ready", "suspensionId": "simulated", "activeCount": 0}
        if method == "gateway.suspend.resume":
            return {"ok": True, "status": "running", "resumed": True}
        return None


async def _body(request: web.BaseRequest) -> Mapping[str, Json]:
    try:
        value = json.loads(await request.read())
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _last_text(messages: Json) -> str:
    said = [m for m in messages if isinstance(m, dict)] if isinstance(messages, list) else []
    texts = [str(m.get("content") or "") for m in said if m.get("role") == "user"]
    return texts[-1] if texts else ""


def _completion(text: str, now: float) -> dict[str, Json]:
    message: dict[str, Json] = {"role": "assistant", "content": text}
    return {
        "id": "chatcmpl-simulated",
        "object": "chat.completion",
        "created": int(now),
        "model": "openclaw/default",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    }


def _error(status: int, kind: str, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "type": kind}}, status=status)


def _invalid(message: str) -> web.Response:
    error = {"code": "INVALID_REQUEST", "message": message}
    return web.json_response({"ok": False, "error": error}, status=400)


def _model_error(error: ModelError) -> web.Response:
    if error.status in {401, 402, 403, 429}:
        return _error(error.status, error.kind, str(error))
    return _error(500, "api_error", "internal error")


Route = Callable[[Gateway, web.BaseRequest], Awaitable[web.StreamResponse]]
ROUTES: dict[tuple[str, str], Route] = {
    **dict.fromkeys([("GET", "/health"), ("GET", "/healthz")], Gateway.live),
    **dict.fromkeys([("GET", "/startup"), ("GET", "/startupz")], Gateway.startup),
    **dict.fromkeys([("GET", "/ready"), ("GET", "/readyz")], Gateway.ready),
    ("GET", "/"): Gateway.page,
    ("POST", "/v1/chat/completions"): Gateway.complete,
    ("POST", "/api/v1/admin/rpc"): Gateway.control,
}
