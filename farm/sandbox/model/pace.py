"""How fast the model's streams come, and whether one breaks off: on demand of a test."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web

from farm.sandbox.model.speech import Speech
from farm.sandbox.wire import JsonObject, integer_of


@dataclass(frozen=True, slots=True)
class Pace:
    """Milliseconds before each event of a stream but the first, and after how many it breaks off.

    `breaks_after` 0 lets every stream come to its end.
    """

    milliseconds: int = 0
    breaks_after: int = 0

    async def streamed(self, request: web.Request, speech: Speech) -> web.StreamResponse:
        """The answer as it comes; one that breaks off ends without a proper end."""
        response = web.StreamResponse(headers={"Cache-Control": "no-cache"})
        response.content_type = "text/event-stream"
        await response.prepare(request)
        for number, frame in enumerate(speech.frames()):
            if self.breaks_after and number >= self.breaks_after and request.transport:
                request.transport.abort()
                return response
            if number and self.milliseconds:
                await asyncio.sleep(self.milliseconds / 1000)
            await response.write(frame.encode())
        await response.write_eof()
        return response


def read_pace(body: JsonObject) -> Pace:
    """The pace of {"milliseconds": 200, "breaks_after": 3}."""
    return Pace(integer_of(body, "milliseconds", 0), integer_of(body, "breaks_after", 0))
