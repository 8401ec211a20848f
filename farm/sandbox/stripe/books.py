"""All that the payment house has on record, and ids as it writes them."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from farm.sandbox.clock import Clock
from farm.sandbox.store import Record, Store, Table
from farm.sandbox.stripe.errors import no_such
from farm.sandbox.stripe.records import (
    Answered,
    Charge,
    CreditNote,
    Customer,
    Delivery,
    Dispute,
    Endpoint,
    Event,
    Intent,
    Invoice,
    Item,
    Method,
    Portal,
    Refund,
    Session,
    Setup,
    TaxId,
    Transaction,
)

R = TypeVar("R", bound=Record)
FEWEST = 10_000_000_000
PREFIXES: dict[type[Record], str] = {
    Customer: "cus_",
    TaxId: "txi_",
    Method: "pm_",
    Intent: "pi_",
    Setup: "seti_",
    Charge: "ch_",
    Refund: "re_",
    Dispute: "dp_",
    Transaction: "txn_",
    Session: "cs_test_",
    Item: "ii_",
    Invoice: "in_",
    CreditNote: "cn_",
    Portal: "bps_",
    Event: "evt_",
    Endpoint: "we_",
}
_UID = re.compile(r"([a-z_]+_)1S([0-9]{8,12})")


class Books:
    """The tables, and the clock by which they are kept. `site` is where the hosted pages are."""

    def __init__(self, folder: Path, *, clock: Clock, site: str) -> None:
        self.clock = clock
        self.site = site
        path = folder / "stripe.sqlite3"
        # Ids of one sandbox must not come again in the next: a farm may remember them.
        first = 1 if path.exists() else FEWEST + secrets.randbelow(FEWEST * 8)
        self.store = store = Store(path, first_id=first)
        self.customers = Table(store, Customer)
        self.tax_ids = Table(store, TaxId)
        self.methods = Table(store, Method)
        self.intents = Table(store, Intent)
        self.setups = Table(store, Setup)
        self.charges = Table(store, Charge)
        self.refunds = Table(store, Refund)
        self.disputes = Table(store, Dispute)
        self.transactions = Table(store, Transaction)
        self.sessions = Table(store, Session)
        self.items = Table(store, Item)
        self.invoices = Table(store, Invoice)
        self.credit_notes = Table(store, CreditNote)
        self.portals = Table(store, Portal)
        self.events = Table(store, Event)
        self.endpoints = Table(store, Endpoint)
        self.deliveries = Table(store, Delivery)
        self.answered = Table(store, Answered)

    def close(self) -> None:
        """Close the file."""
        self.store.close()

    def next_id(self) -> int:
        """A number that nothing here has."""
        return self.store.next_id()

    def now(self) -> datetime:
        """The hour, to the second: as precisely as the API tells it."""
        return self.clock.now().replace(microsecond=0)


def uid(kind: type[Record], number: int) -> str:
    """The id under which the API knows that record."""
    return f"{PREFIXES[kind]}1S{number:08d}"


def uid_or_none(kind: type[Record], number: int | None) -> str | None:
    """The same for a reference that may be none."""
    return None if number is None else uid(kind, number)


def number_of(kind: type[Record], text: str) -> int | None:
    """The number in an id of that kind; None if it is no such id."""
    found = _UID.fullmatch(text)
    return int(found[2]) if found and found[1] == PREFIXES[kind] else None


def find(table: Table[R], kind: type[R], text: str, name: str, param: str = "id") -> R:
    """The record of that id; the API's own refusal calls the kind `name`."""
    record = table.get(number_of(kind, text))
    if record is None or getattr(record, "deleted", None) is not None:
        raise no_such(name, text, param)
    return record


def secret(prefix: str = "") -> str:
    """What nobody guesses."""
    return f"{prefix}{secrets.token_urlsafe(24).replace('-', 'x').replace('_', 'y')}"
