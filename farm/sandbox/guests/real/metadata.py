"""The clouds' metadata services in the guests' network: every guest is told about itself only."""

from __future__ import annotations

import socket
from collections.abc import Callable

from aiohttp import web

from farm.sandbox.guests.base import CloudName, GuestSpec
from farm.sandbox.guests.metadata import PRIVILEGED_PORTS, Question, tell

_Lookup = Callable[[str], GuestSpec | None]


class MetadataService:
    """One cloud's, on a socket inside the guests' network; `lookup` knows a guest by its address.

    A guest cannot ask as another: its network drops packets that bear a foreign address.
    """

    def __init__(self, cloud: CloudName, lookup: _Lookup) -> None:
        self.cloud = cloud
        self._lookup = lookup
        application = web.Application()
        application.router.add_get("/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None)

    async def start(self, listener: socket.socket) -> None:
        """Serve on a listening socket."""
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()

    async def close(self) -> None:
        """Stop, and close the socket."""
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        spec = self._lookup(request.remote or "")
        if spec is None:
            raise web.HTTPNotFound
        told = tell(self.cloud, spec, _question(request))
        return web.Response(status=told.status, text=told.text)


def _question(request: web.Request) -> Question:
    """The port is the guest's own: no address is translated on the way here."""
    came_from = request.transport.get_extra_info("peername") if request.transport else None
    return Question(
        path=request.path,
        wants_json=request.query.get("format") == "json",
        port=came_from[1] if came_from else PRIVILEGED_PORTS,
    )
