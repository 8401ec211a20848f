"""Webhooks: signed, sent until they are taken, and as late, doubled or lost as a fault says."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from typing import Literal

from aiohttp import ClientError, ClientSession, ClientTimeout

from farm.sandbox.faults import Refused, Severed
from farm.sandbox.stripe.books import uid
from farm.sandbox.stripe.house import House
from farm.sandbox.stripe.records import Delivery, Endpoint, Event
from farm.sandbox.stripe.render_papers import event_json

PATIENCE = ClientTimeout(total=20)
AGAIN = tuple(
    timedelta(seconds=seconds)
    for seconds in (10, 60, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 12 * 3600, 24 * 3600)
)
"""How long until the next try; together about three days, by the sandbox's clock."""
LOST = "lost"


def signature(secret: str, at: int, body: str) -> str:
    """The header Stripe-Signature of this body at that second."""
    mac = hmac.new(secret.encode(), f"{at}.{body}".encode(), sha256).hexdigest()
    return f"t={at},v1={mac}"


@dataclass(slots=True)
class Courier:
    """Carries what is due, each delivery on its own: a late one lets others pass."""

    house: House
    _under_way: dict[int, asyncio.Task[None]] = field(default_factory=dict)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliveries go out inside; what is cut off by the end goes out at the next start."""
        async with ClientSession(timeout=PATIENCE) as session:
            rounds = asyncio.create_task(self._carry(session))
            try:
                yield
            finally:
                tasks = [rounds, *self._under_way.values()]
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _carry(self, session: ClientSession) -> None:
        while True:
            self.house.bell.clear()
            for delivery in self._due():
                task = asyncio.create_task(self._deliver(session, delivery))
                self._under_way[delivery.id] = task
            await self._wait()

    def _waiting(self) -> Iterator[Delivery]:
        for delivery in self.house.books.deliveries:
            if delivery.due is not None and delivery.id not in self._under_way:
                yield delivery

    def _due(self) -> list[Delivery]:
        now = self.house.books.clock.now()
        return [one for one in self._waiting() if one.due is not None and one.due <= now]

    async def _wait(self) -> None:
        """Until something rings, or the next delivery is due."""
        clock = self.house.books.clock
        later = [one.due for one in self._waiting() if one.due is not None]
        waits = [asyncio.create_task(self.house.bell.wait())]
        if later:
            left = (min(later) - clock.now()).total_seconds()
            waits.append(asyncio.create_task(_true_after(clock.sleep(max(left, 0)))))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()

    async def _deliver(self, session: ClientSession, delivery: Delivery) -> None:
        try:
            outcome = await self._try(session, delivery)
            self.house.books.deliveries.put(outcome)
        finally:
            del self._under_way[delivery.id]
            self.house.bell.set()

    async def _try(self, session: ClientSession, delivery: Delivery) -> Delivery:
        """One try, and what is left to do after it."""
        books = self.house.books
        event, endpoint = books.events[delivery.event], books.endpoints[delivery.endpoint]
        if endpoint.deleted is not None:
            return replace(delivery, due=None)
        arrived, tried = False, replace(delivery, attempts=delivery.attempts + 1)
        with suppress(Severed, Refused):
            detail = f"{event.type} {uid(Event, event.id)}"
            async with self.house.gate.passage("webhook", detail) as passage:
                if passage.action:
                    await books.clock.sleep(passage.action.delay)
                if passage.action and passage.action.code == LOST:
                    return replace(tried, due=None)
                taken = await self._post(session, event, endpoint)
            arrived = taken
        if arrived:
            return replace(tried, due=None, arrived=True)
        if tried.attempts > len(AGAIN):
            return replace(tried, due=None)
        return replace(tried, due=books.clock.now() + AGAIN[tried.attempts - 1])

    async def _post(self, session: ClientSession, event: Event, endpoint: Endpoint) -> bool:
        body = json.dumps(event_json(self.house.books, event, json.loads(event.body)))
        at = int(self.house.books.clock.now().timestamp())
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(endpoint.secret, at, body),
            "User-Agent": "Stripe/1.0 (+the sandbox)",
        }
        try:
            async with session.post(
                endpoint.url, data=body.encode(), headers=headers, allow_redirects=False
            ) as answer:
                return 200 <= answer.status < 300
        except (ClientError, OSError, TimeoutError):
            return False


async def _true_after(sleep: Awaitable[None]) -> Literal[True]:
    await sleep
    return True
