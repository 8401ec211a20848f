"""A database and a broker for each farm of a test run, on the pair that the run stands on.

On SQLite and the plain loop a farm's folder is all it needs.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

import psycopg
import redis
from psycopg import sql

SERVER = os.environ.get("DATABASE_URL", "")
BROKER = os.environ.get("BROKER_URL", "")
JOINED = (
    "CREATE OR REPLACE AGGREGATE group_concat(text, text)"
    " (sfunc = string_agg_transfn, stype = internal, finalfunc = string_agg_finalfn)"
)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one farm: a file of SQLite's, or a database of this name."""

    name: str

    @property
    def url(self) -> str:
        """DATABASE_URL, "" for SQLite."""
        return urlunsplit(urlsplit(SERVER)._replace(path=f"/{self.name}")) if SERVER else ""

    def ask(self, question: str, values: Sequence[str] = ()) -> str:
        """The first column of the first row, "" without one; SQL as both understand it."""
        row = self._postgres(question, values) if SERVER else self._sqlite(question, values)
        value = None if row is None else row[0]
        if isinstance(value, bool):
            value = int(value)
        return "" if value is None else str(value)

    def sever(self) -> None:
        """What a restart of Postgres does: every connection to these rows is cut at once."""
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        with psycopg.connect(SERVER, autocommit=True) as connection:
            connection.execute(cut, [self.name])

    def _sqlite(self, question: str, values: Sequence[str]) -> Sequence[object] | None:
        connection = sqlite3.connect(f"file:{self.name}?mode=ro", uri=True, timeout=20)
        try:
            row: tuple[object, ...] | None = connection.execute(question, values).fetchone()
        finally:
            connection.close()
        return row

    def _postgres(self, question: str, values: Sequence[str]) -> Sequence[object] | None:
        asked = sql.SQL(question.replace("?", "%s"))
        try:
            return LINE.to(self.url).execute(asked, values or None).fetchone()
        except psycopg.OperationalError:
            LINE.hang_up()
            return LINE.to(self.url).execute(asked, values or None).fetchone()


class Line:
    """The connection of whoever asks many times a second; to one database at a time."""

    def __init__(self) -> None:
        self._url = ""
        self._open: psycopg.Connection | None = None

    def to(self, url: str) -> psycopg.Connection:
        """Open to that database."""
        if self._open is None or self._url != url:
            self.hang_up()
            self._url, self._open = url, psycopg.connect(url, autocommit=True)
        return self._open

    def hang_up(self) -> None:
        """Close what is open; one that was cut may be."""
        if self._open:
            self._open.close()
        self._open = None


LINE = Line()


def rows_in(folder: Path, template: Rows | None = None) -> Rows:
    """The rows of the farm in that folder, empty or a copy of the template's."""
    if not SERVER:
        path = folder / "farm.sqlite3"
        if template:
            path.write_bytes(Path(template.name).read_bytes())
        return Rows(str(path))
    rows = Rows(f"farm_{_digest(folder)}")
    _create(rows, template)
    return rows


def broker_of(folder: Path) -> str:
    """BROKER_URL of the farm in that folder, "" for the plain loop."""
    if not BROKER:
        return ""
    with redis.Redis(unix_socket_path=urlsplit(BROKER).path) as client:
        number = client.hget("farms", _digest(folder)) or client.incr("count")
        client.hsetnx("farms", _digest(folder), int(number))
    return f"{BROKER}?virtual_host={int(number)}"


def unheard(broker: str) -> int:
    """How many messages for steps wait at that broker."""
    url = urlsplit(broker)
    number = int(parse_qs(url.query)["virtual_host"][0])
    with redis.Redis(unix_socket_path=url.path, db=number) as client:
        return int(client.llen("steps"))


def environ_of(folder: Path) -> Mapping[str, str]:
    """What a farm in that folder is told in its environment; the same each time."""
    if not SERVER:
        return {}
    return {"DATABASE_URL": rows_in(folder).url, "BROKER_URL": broker_of(folder)}


def _create(rows: Rows, template: Rows | None) -> None:
    name = sql.Identifier(rows.name)
    with psycopg.connect(SERVER, autocommit=True) as connection:
        known = "SELECT 1 FROM pg_database WHERE datname = %s"
        if connection.execute(known, [rows.name]).fetchone():
            return
        source = sql.Identifier(template.name if template else "template1")
        order = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, source)
        connection.execute(order)
    with psycopg.connect(rows.url, autocommit=True) as connection:
        connection.execute(JOINED)


def _digest(folder: Path) -> str:
    return hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
