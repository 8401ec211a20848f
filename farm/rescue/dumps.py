"""The whole database as one file, and back: by SQLite's own backup, or by pg_dump."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from farm.rescue.counting import counted, counted_in_file
from farm.rescue.refusals import RescueRefused


def vendor() -> str:
    """ "sqlite" or "postgresql": a dump of one cannot be read by the other."""
    return connection.vendor


def dump_to(path: Path) -> Mapping[str, int]:
    """Everything as it is at one moment, while the farm works on; how many rows each table has."""
    if vendor() == "sqlite":
        _copy(_file(connection), str(path))
        return counted_in_file(path)
    return _dump_postgres(path)


@transaction.atomic
def _dump_postgres(path: Path) -> Mapping[str, int]:
    """What is counted and what is dumped are the same rows, whatever is written meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        snapshot = cursor.fetchone()[0]
        rows = counted(connection)
        how = ("--format=custom", "--no-owner", "--no-acl", f"--snapshot={snapshot}")
        _run(("pg_dump", *how, f"--file={path}"), connection)
    return rows


def load_from(path: Path) -> None:
    """Put the dump in the place of everything that is there: whole, or not at all."""
    connections.close_all()
    load_into(connection, path)


def load_into(target: BaseDatabaseWrapper, path: Path) -> None:
    """The same for any database; nobody may be connected to it."""
    if target.vendor == "sqlite":
        _copy(str(path), _file(target))
        return
    how = ("--clean", "--if-exists", "--no-owner", "--no-acl", "--single-transaction")
    _run(("pg_restore", *how, f"--dbname={target.settings_dict['NAME']}", str(path)), target)


def _copy(source: str, target: str) -> None:
    try:
        with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as written:
            read.backup(written)
    except sqlite3.Error as error:
        sentence = f"SQLite cannot copy {source} to {target}: {error}."
        raise RescueRefused(sentence, "database") from error


def _file(database: BaseDatabaseWrapper) -> str:
    return str(database.settings_dict["NAME"])


def _run(argv: Sequence[str], database: BaseDatabaseWrapper) -> None:
    environ = _environ(database)
    try:
        done = subprocess.run(
            argv, env=environ, capture_output=True, text=True, check=False, timeout=3600
        )
    except FileNotFoundError:
        raise RescueRefused(
            f"{argv[0]} is not installed: install Debian's package postgresql-client.", "tools"
        ) from None
    if done.returncode:
        raise RescueRefused(f"{argv[0]} failed: {done.stderr.strip()[-500:]}", "database")


def _environ(database: BaseDatabaseWrapper) -> Mapping[str, str]:
    """A password is told in the environment, where no list of processes shows it."""
    known = database.settings_dict
    told = {
        "PGDATABASE": known["NAME"],
        "PGHOST": known["HOST"],
        "PGPORT": known["PORT"],
        "PGUSER": known["USER"],
        "PGPASSWORD": known["PASSWORD"],
    }
    return {**os.environ, **{name: str(value) for name, value in told.items() if value}}
