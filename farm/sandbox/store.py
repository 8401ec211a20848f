"""A cloud's records in memory and on disk: one SQLite file, written through."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from farm.sandbox.codec import from_text, to_text


class Record(Protocol):
    """What a table holds: it has a number, and it may be gone."""

    @property
    def id(self) -> int:
        """Unique over all tables of the cloud."""


class Mortal(Record, Protocol):
    """A record of a thing that can be deleted."""

    @property
    def project(self) -> int:
        """The project it belongs to."""

    @property
    def deleted(self) -> datetime | None:
        """Since when it is gone."""


R = TypeVar("R", bound=Record)
M = TypeVar("M", bound=Mortal)


class Store:
    """The file. Opened and used by one event loop only.

    Numbers begin at `first_id`: machines of two clouds must not have the same one.
    """

    def __init__(self, path: Path, *, first_id: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = normal")
        self._database.execute(
            "create table if not exists records"
            " (kind text, id integer, body text not null, primary key (kind, id))"
        )
        (highest,) = self._database.execute("select max(id) from records").fetchone()
        self._last_id = max(highest or 0, first_id - 1)

    def close(self) -> None:
        """Close the file; what was put is in it."""
        self._database.close()

    @contextmanager
    def together(self) -> Iterator[None]:
        """All that is put inside is on disk, or after a kill nothing of it; nothing waits inside.

        Also after an error: what is in memory then is what is kept.
        """
        self._database.execute("begin immediate")
        try:
            yield
        finally:
            self._database.execute("commit")

    def next_id(self) -> int:
        """A number no record had before."""
        self._last_id += 1
        return self._last_id

    def read(self, kind: str) -> list[str]:
        """The bodies of all records of that kind, oldest first."""
        rows = self._database.execute("select body from records where kind = ? order by id", [kind])
        return [str(body) for (body,) in rows]

    def write(self, kind: str, number: int, body: str) -> None:
        """Keep this body as the record's."""
        self._database.execute(
            "insert into records values (?, ?, ?)"
            " on conflict (kind, id) do update set body = excluded.body",
            [kind, number, body],
        )


class Table(Generic[R]):
    """All records of one kind, by their ids, in the order they were made."""

    def __init__(self, store: Store, kind: type[R]) -> None:
        self._store = store
        self._kind = kind.__name__
        records = (from_text(kind, body) for body in store.read(self._kind))
        self._records: dict[int, R] = {record.id: record for record in records}

    def __iter__(self) -> Iterator[R]:
        return iter(tuple(self._records.values()))

    def __getitem__(self, number: int | None) -> R:
        return self._records[number or 0]

    def get(self, number: int | None) -> R | None:
        """The record of that number."""
        return None if number is None else self._records.get(number)

    def put(self, record: R) -> R:
        """Keep `record` in place of the one of that number."""
        self._store.write(self._kind, record.id, to_text(record))
        self._records[record.id] = record
        return record


def living(table: Table[M], project: int) -> list[M]:
    """The things of that project that are there."""
    return [thing for thing in table if thing.project == project and thing.deleted is None]
