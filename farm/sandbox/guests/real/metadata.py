"""The cloud's metadata service at 169.254.169.254: every guest is told about itself only."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable

from aiohttp import web

from farm.sandbox.guests.base import GuestSpec

_ROOT = "/hetzner/v1"
_Lookup = Callable[[str], GuestSpec | None]


class MetadataService:
    """Answers on a socket inside the guests' network; `lookup` knows a guest by its address.

    A guest cannot ask as another: its network drops packets that bear a foreign address.
    """

    def __init__(self, lookup: _Lookup) -> None:
        self._lookup = lookup
        self._runner = web.AppRunner(self._application(), access_log=None)

    async def start(self, listener: socket.socket) -> None:
        """Serve on a listening socket."""
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()

    async def close(self) -> None:
        """Stop, and close the socket."""
        await self._runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application()
        application.router.add_get(f"{_ROOT}/userdata", self._user_data)
        application.router.add_get(f"{_ROOT}/metadata", self._all)
        application.router.add_get(f"{_ROOT}/metadata/{{key}}", self._one)
        return application

    async def _user_data(self, request: web.Request) -> web.Response:
        return web.Response(text=self._asker(request).user_data)

    async def _all(self, request: web.Request) -> web.Response:
        """YAML, of which JSON is a part."""
        return web.Response(text=json.dumps(metadata_of(self._asker(request)), indent=1))

    async def _one(self, request: web.Request) -> web.Response:
        value = metadata_of(self._asker(request)).get(request.match_info["key"])
        if value is None:
            raise web.HTTPNotFound
        return web.Response(text=value if isinstance(value, str) else json.dumps(value))

    def _asker(self, request: web.Request) -> GuestSpec:
        spec = self._lookup(request.remote or "")
        if spec is None:
            raise web.HTTPNotFound
        return spec


def metadata_of(spec: GuestSpec) -> dict[str, str | int | list[str]]:
    """Hetzner's keys, as far as they say something about a guest."""
    return {
        "instance-id": spec.id,
        "hostname": spec.name,
        "public-ipv4": spec.ipv4,
        "public-keys": [],
    }
