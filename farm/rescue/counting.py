"""How many rows a database has, table by table, and whether its secrets open."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from cryptography.fernet import InvalidToken
from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper

from farm.fields import SecretField, cipher_of
from farm.rescue.refusals import RescueRefused


def counted(database: BaseDatabaseWrapper) -> Mapping[str, int]:
    """Rows by table."""
    with database.cursor() as cursor:
        rows = {}
        for table in sorted(database.introspection.table_names(cursor)):
            cursor.execute(f"SELECT COUNT(*) FROM {database.ops.quote_name(table)}")  # noqa: S608
            rows[table] = int(cursor.fetchone()[0])
        return rows


def counted_in_file(path: Path) -> Mapping[str, int]:
    """The same for a file of SQLite's, which is only read."""
    named = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%'"
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
        tables = [str(name) for (name,) in database.execute(f"{named} ESCAPE '\\' ORDER BY name")]
        return {
            table: int(database.execute(f'SELECT COUNT(*) FROM "{table}"').fetchone()[0])  # noqa: S608
            for table in tables
        }


def open_secrets(database: BaseDatabaseWrapper, keys: Sequence[str]) -> int:
    """How many encrypted values these keys open; RescueRefused at the first that they do not."""
    cipher = cipher_of(tuple(keys))
    opened = 0
    for table, column, token in _sealed(database):
        try:
            cipher.decrypt(token)
        except InvalidToken:
            sentence = (
                f"{table}.{column} does not open with the keys of the backup: its rows would be"
                " lost. Look whether FIELD_KEYS names every key that was ever used."
            )
            raise RescueRefused(sentence, "keys") from None
        opened += 1
    return opened


def _sealed(database: BaseDatabaseWrapper) -> Iterator[tuple[str, str, str]]:
    """Table, column and value of everything that is encrypted in it."""
    quoted = database.ops.quote_name
    with database.cursor() as cursor:
        for table, column in _secret_columns(database):
            asked = f"SELECT {quoted(column)} FROM {quoted(table)} WHERE {quoted(column)} <> ''"  # noqa: S608
            cursor.execute(asked)
            for (token,) in cursor.fetchall():
                yield table, column, str(token)


def _secret_columns(database: BaseDatabaseWrapper) -> Sequence[tuple[str, str]]:
    """Those of this farm that the database has: it may be of an older one."""
    known = [
        (model._meta.db_table, str(field.column))  # noqa: SLF001
        for model in apps.get_models()
        for field in model._meta.local_fields  # noqa: SLF001
        if isinstance(field, SecretField)
    ]
    with database.cursor() as cursor:
        there = set(database.introspection.table_names(cursor))
        columns = {
            table: {
                column.name
                for column in database.introspection.get_table_description(cursor, table)
            }
            for table in {table for table, _ in known} & there
        }
    return [(table, column) for table, column in known if column in columns.get(table, ())]
