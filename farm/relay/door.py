"""The relay's door: who calls, what they ask, whether the budget bears it, and then the passage."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpcore
from django.conf import settings
from django.db import DatabaseError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from farm.agents.selectors.relay import Caller
from farm.billing.ai_calls import (
    Ask,
    BudgetBusy,
    BudgetUsedUp,
    Outcome,
    Reservation,
    TooManyCalls,
    reserve,
    settle,
    settle_lost,
)
from farm.billing.ai_prices import dollars_to_micros, price_of, worst_case
from farm.billing.ai_room import PayerUsedUp
from farm.billing.ai_rows import AiCall
from farm.outbound_stream import new_pool
from farm.relay.asking import asked_in, caller_of
from farm.relay.database import Database
from farm.relay.dialects.base import Asked, Dialect
from farm.relay.passage import Errand, Head, Passage, Seen
from farm.relay.reading import most_read
from farm.relay.refusing import No, refusal
from farm.relay.routes import Route
from farm.relay.saying import words_about_budget, words_about_payer
from farm.relay.upstream import Sending
from farm.relay.wire import BadCall, packed

logger = logging.getLogger(__name__)
MOST_WRITTEN = 32_000
"""Tokens of an answer to a call that names no limit of its own."""
SWEEP_SECONDS = 20
MARGIN = timedelta(minutes=1)
"""How long after its last second a call may still be counted by its own relay."""


@dataclass(slots=True)
class Relay:
    """What lives as long as the process: connections outward, threads for the database, calls."""

    pool: httpcore.AsyncConnectionPool = field(default_factory=new_pool)
    database: Database = field(default_factory=Database)
    under_way: set[asyncio.Task[None]] = field(default_factory=set)

    async def sweep(self) -> None:
        """Count calls that were lost with a relay that died, now and again, until cancelled."""
        while True:
            try:
                await self.database.ask(settle_lost, datetime.now(UTC))
            except DatabaseError:
                logger.exception("The database did not say which calls were lost; looking again.")
            await asyncio.sleep(SWEEP_SECONDS)

    async def close(self) -> None:
        """End every call under way, each counted, and then the rest."""
        for task in self.under_way:
            task.cancel()
        await asyncio.gather(*self.under_way, return_exceptions=True)
        await self.pool.aclose()
        self.database.close()

    async def carry(self, request: Request, route: Route) -> Response:
        """The answer to one call."""
        try:
            caller = await caller_of(request, route, self.database)
            asked = await asked_in(request, route)
            reservation = await self._reserved(caller, asked)
        except BudgetUsedUp as used_up:
            return _said(words_about_budget(caller, first=used_up.first), asked, route.dialect)
        except PayerUsedUp as used_up:
            return _said(words_about_payer(caller, used_up.room), asked, route.dialect)
        except No as no:
            return refusal(route.dialect, no)
        errand = _errand(caller, asked, reservation, request, route.dialect)
        return await self._passed(errand, self._counting(caller, asked, reservation))

    async def list_models(self, request: Request, route: Route) -> Response:
        """The model of the caller's key; its provider is not asked."""
        try:
            caller = await caller_of(request, route, self.database)
        except No as no:
            return refusal(route.dialect, no)
        return Response(route.dialect.models(caller.model), media_type="application/json")

    async def _reserved(self, caller: Caller, asked: Asked) -> Reservation:
        try:
            return await self.database.ask(_reserve, caller, asked)
        except BadCall as bad:
            raise No(400, str(bad)) from None
        except TooManyCalls as many:
            message = f"More than {caller.spender.calls_per_minute} calls in a minute: slow down."
            raise No(429, message, {"Retry-After": str(many.retry_after)}) from None
        except BudgetBusy:
            message = "What is left of the budget is set aside for calls under way: try again."
            raise No(429, message, {"Retry-After": "5"}) from None

    def _counting(
        self, caller: Caller, asked: Asked, reservation: Reservation
    ) -> Callable[[Seen], Awaitable[None]]:
        async def counted(seen: Seen) -> None:
            await self.database.ask(_count, caller, asked, reservation, seen)

        return counted

    async def _passed(self, errand: Errand, counted: Callable[[Seen], Awaitable[None]]) -> Response:
        """The call runs as a task of its own: it is counted even when nobody waits for it."""
        passage = Passage(errand, counted)
        task = asyncio.create_task(passage.run(self.pool, settings.RELAY_CALL_SECONDS))
        self.under_way.add(task)
        task.add_done_callback(self._ended)
        return _answer(await passage.head, passage)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.under_way.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("A call ended in a mistake of ours.", exc_info=error)


def _reserve(caller: Caller, asked: Asked) -> Reservation:
    """Set aside what the call may cost at most."""
    now = datetime.now(UTC)
    worst = worst_case(caller.provider, asked.model, most_read(asked.body), now)
    seconds = timedelta(seconds=settings.RELAY_CALL_SECONDS)
    ask = Ask(
        provider=caller.provider,
        model=asked.model,
        worst=worst,
        most_written=asked.most_written or MOST_WRITTEN,
        least_written=asked.least_written,
        ends_by=now + seconds + MARGIN,
    )
    return reserve(caller.spender, ask, now)


def _count(caller: Caller, asked: Asked, reservation: Reservation, seen: Seen) -> None:
    settle(reservation.call_id, _outcome(caller, asked, seen), datetime.now(UTC))


def _outcome(caller: Caller, asked: Asked, seen: Seen) -> Outcome:
    if seen.refused:
        return Outcome(AiCall.State.FREE)
    if seen.usage is None:
        return Outcome(AiCall.State.UNSEEN)
    tokens, dollars = seen.usage.tokens, seen.usage.dollars
    micros = (
        price_of(caller.provider, asked.model, tokens, datetime.now(UTC))
        if dollars is None
        else dollars_to_micros(dollars)
    )
    return Outcome(AiCall.State.SEEN, micros, tokens.read, tokens.wrote)


def _errand(
    caller: Caller, asked: Asked, reservation: Reservation, request: Request, dialect: Dialect
) -> Errand:
    sending = Sending(
        url=caller.endpoint + dialect.path(asked),
        headers=tuple(dialect.headers(caller.key, request.headers)),
        body=packed(dialect.body(asked, reservation.most_written)),
    )
    return Errand(dialect, asked, sending, caller.key)


def _answer(head: Head, passage: Passage) -> Response:
    headers = {**head.headers, "Cache-Control": "no-store"}
    if head.whole is None:
        return StreamingResponse(passage.chunks(), head.status, headers, head.kind)
    return Response(head.whole, head.status, headers, head.kind)


def _said(words: str, asked: Asked, dialect: Dialect) -> Response:
    """The agent speaks of its budget as it speaks of anything."""
    body = b"".join(dialect.saying(words, asked))
    kind = dialect.kind if asked.stream else "application/json"
    return Response(body, headers={"Cache-Control": "no-store"}, media_type=kind)
