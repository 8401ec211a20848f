"""The payment house: its books, who may ask, and what it tells the world of what happens."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from farm.sandbox.clock import Clock
from farm.sandbox.faults import Gate
from farm.sandbox.stripe.books import Books, R
from farm.sandbox.stripe.records import Delivery, Endpoint, Event, Transaction
from farm.sandbox.stripe.shown import Shelf
from farm.sandbox.wire import JsonObject

AVAILABLE_AFTER = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Asked:
    """The request under way, as its events name it."""

    request: str = ""
    key: str = ""


@dataclass(slots=True)
class House:
    """`key` is the API's secret key; `bell` rings when a webhook may have become due."""

    books: Books
    gate: Gate
    key: str
    asked: Asked = field(default_factory=Asked)
    bell: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, kind: str, shelf: Shelf[R], record: R) -> R:
        """Something happened to that thing: an event, and a webhook to whoever wants it."""
        self.tell_of(kind, shelf.show(self.books, record))
        return record

    def tell_of(self, kind: str, body: JsonObject) -> None:
        """The same for a thing that is shown already."""
        books = self.books
        event = books.events.put(
            Event(
                id=books.next_id(),
                created=books.now(),
                type=kind,
                body=json.dumps(body),
                request=self.asked.request,
                key=self.asked.key,
            )
        )
        for endpoint in books.endpoints:
            if endpoint.deleted is None and wants(endpoint, kind):
                books.deliveries.put(
                    Delivery(books.next_id(), event.id, endpoint.id, due=books.clock.now())
                )
        self.bell.set()

    def book(self, kind: str, amount: int, fee: int, source: str, what: str) -> Transaction:
        """One more line of the account, in euro cents."""
        books = self.books
        now = books.now()
        return books.transactions.put(
            Transaction(
                id=books.next_id(),
                created=now,
                amount=amount,
                fee=fee,
                currency="eur",
                type=kind,
                source=source,
                description=what,
                available_on=now + AVAILABLE_AFTER,
            )
        )


def wants(endpoint: Endpoint, kind: str) -> bool:
    """Whether events of that kind go there."""
    return "*" in endpoint.events or kind in endpoint.events


def open_house(folder: Path, *, clock: Clock, gate: Gate, site: str, key: str) -> House:
    """The house on this folder's books; `site` is where its pages are."""
    return House(Books(folder, clock=clock, site=site), gate, key)
