"""One call under way: its answer passes to the caller as it comes, and its cost is counted once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import httpcore

from farm.addresses import Fenced
from farm.relay.dialects.base import Asked, Dialect, Usage
from farm.relay.showing import Showing
from farm.relay.upstream import Sending, headers_of, sent
from farm.relay.wire import BadCall, maybe_object

logger = logging.getLogger(__name__)
MOST_BYTES = 32 * 1024 * 1024
MOST_BYTES_OF_A_STREAM = 256 * 1024 * 1024
MOST_BYTES_OF_AN_ERROR = 64 * 1024
DRAIN_SECONDS = 20
"""How long the rest of an answer is read after its caller left, to learn what it cost."""
WAITING_CHUNKS = 32
CARRIED_BACK = ("retry-after", "request-id", "x-request-id", "x-should-retry")
UNREACHED = (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout, Fenced)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was learnt of a call's cost. `refused` costs nothing; without usage it is unseen."""

    usage: Usage | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """How an answer begins; `whole` is None for one that is streamed."""

    status: int
    kind: str
    headers: Mapping[str, str] = field(default_factory=dict)
    whole: bytes | None = None


@dataclass(frozen=True, slots=True)
class Errand:
    """A call that was allowed: how it speaks, what it asks, and the key that nobody may see."""

    dialect: Dialect
    asked: Asked
    sending: Sending
    secret: str = field(repr=False)


class Passage:
    """Runs as a task of its own, so that a caller who leaves does not end it.

    `counted` is awaited exactly once, with what was seen, before the caller is told of the end.
    """

    def __init__(self, errand: Errand, counted: Callable[[Seen], Awaitable[None]]) -> None:
        self._errand = errand
        self._counted = counted
        self._showing = Showing(errand.dialect, errand.asked)
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING_CHUNKS)
        self._left = False
        self._limit: asyncio.Timeout | None = None
        self.head: asyncio.Future[Head] = asyncio.get_running_loop().create_future()

    async def run(self, pool: httpcore.AsyncConnectionPool, seconds: float) -> None:
        """Make the call and pass its answer on; every end is counted."""
        refused = False
        end: Head | None = self._trouble(502, "The relay is being stopped.")
        try:
            async with (
                asyncio.timeout(seconds) as self._limit,
                sent(pool, self._errand.sending) as response,
            ):
                refused = response.status != 200
                end = await self._pass_on(response)
        except UNREACHED:
            refused, end = True, self._trouble(502, "The provider cannot be reached.")
        except (TimeoutError, httpcore.TimeoutException):
            end = self._trouble(504, "The provider took too long.")
        except (httpcore.NetworkError, httpcore.ProtocolError):
            end = self._trouble(502, "The provider broke the connection off.")
        except BadCall as error:
            end = self._trouble(502, f"The provider's answer cannot be used. {error}")
        finally:
            await self._finish(Seen(self._usage(), refused), end)

    async def chunks(self) -> AsyncIterator[bytes]:
        """What a streamed answer shows its caller; ends once all of it is counted."""
        try:
            while (chunk := await self._chunks.get()) is not None:
                yield chunk
        finally:
            self._leave()

    def _leave(self) -> None:
        """The caller reads no more: make room for whoever waits to write, and hurry."""
        self._left = True
        while not self._chunks.empty():
            self._chunks.get_nowait()
        soon = asyncio.get_running_loop().time() + DRAIN_SECONDS
        if self._limit and (ends := self._limit.when()) and ends > soon:
            self._limit.reschedule(soon)

    async def _pass_on(self, response: httpcore.Response) -> Head | None:
        """The whole answer, or None for one that was streamed."""
        headers = headers_of(response)
        if response.status != 200:
            return await self._refusal(response, headers)
        if self._errand.asked.stream and "json" not in headers.get("content-type", ""):
            await self._stream(response, headers)
            return None
        body = await _bounded(response, MOST_BYTES)
        self._showing.meter.whole(maybe_object(body))
        return Head(200, "application/json", _carried(headers), body)

    async def _refusal(self, response: httpcore.Response, headers: Mapping[str, str]) -> Head:
        """The provider's own words, but for those about the farm's key."""
        if response.status in (401, 403) or not 400 <= response.status < 600:
            logger.error("A provider answered %s to a shared key.", response.status)
            return self._trouble(502, "The provider does not take the farm's key: tell its owner.")
        body = await _bounded(response, MOST_BYTES_OF_AN_ERROR)
        harmless = body.replace(self._errand.secret.encode(), b"***")
        return Head(response.status, "application/json", _carried(headers), harmless)

    async def _stream(self, response: httpcore.Response, headers: Mapping[str, str]) -> None:
        self.head.set_result(Head(200, self._errand.dialect.kind, _carried(headers)))
        passed = 0
        async for chunk in response.aiter_stream():
            passed += len(chunk)
            if passed > MOST_BYTES_OF_A_STREAM:
                raise BadCall("It has no end.")
            await self._show(self._showing.feed(chunk))
        await self._show(self._showing.rest())

    async def _show(self, chunk: bytes) -> None:
        if chunk and not self._left:
            await self._chunks.put(chunk)

    def _usage(self) -> Usage | None:
        """The provider's word, unless it is monstrous."""
        try:
            return self._showing.meter.usage
        except BadCall:
            return None

    async def _finish(self, seen: Seen, end: Head | None) -> None:
        """Count, then tell the caller: what it sees of the end is counted already."""
        self._limit = None
        await self._counted(seen)
        if end and not self.head.done():
            self.head.set_result(end)
        elif end and end.whole:
            await self._show(b"event: error\ndata: " + end.whole + b"\n\n")
        if not self._left:
            await self._chunks.put(None)

    def _trouble(self, status: int, message: str) -> Head:
        body = self._errand.dialect.error(status, message)
        return Head(status, "application/json", whole=body)


async def _bounded(response: httpcore.Response, most: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_stream():
        body += chunk
        if len(body) > most:
            raise BadCall("It is larger than any this farm expects.")
    return bytes(body)


def _carried(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in CARRIED_BACK if name in headers}
