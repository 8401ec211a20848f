"""The whole database as one file, and back: by SQLite's own backup, or by pg_dump."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from django.db import connection, connections

from farm.rescue.refusals import RescueRefused


def vendor() -> str:
    """ "sqlite" or "postgresql": a dump of one cannot be read by the other."""
    return connection.vendor


def dump_to(path: Path) -> None:
    """Everything as it is at this moment, while the farm works on."""
    if vendor() == "sqlite":
        _copy(_file(), str(path))
    else:
        _run(("pg_dump", "--format=custom", "--no-owner", "--no-acl", f"--file={path}"))


def load_from(path: Path) -> None:
    """Put the dump in the place of everything that is there: whole, or not at all."""
    connections.close_all()
    if vendor() == "sqlite":
        _copy(str(path), _file())
        return
    how = ("--clean", "--if-exists", "--no-owner", "--no-acl", "--single-transaction")
    _run(("pg_restore", *how, f"--dbname={connection.settings_dict['NAME']}", str(path)))


def _copy(source: str, target: str) -> None:
    with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as written:
        read.backup(written)


def _file() -> str:
    return str(connection.settings_dict["NAME"])


def _run(argv: Sequence[str]) -> None:
    try:
        done = subprocess.run(
            argv, env=_environ(), capture_output=True, text=True, check=False, timeout=3600
        )
    except FileNotFoundError:
        raise RescueRefused(
            f"{argv[0]} is not installed: install Debian's package postgresql-client.", "tools"
        ) from None
    if done.returncode:
        raise RescueRefused(f"{argv[0]} failed: {done.stderr.strip()[-500:]}", "database")


def _environ() -> Mapping[str, str]:
    """A password is told in the environment, where no list of processes shows it."""
    known = connection.settings_dict
    told = {
        "PGDATABASE": known["NAME"],
        "PGHOST": known["HOST"],
        "PGPORT": known["PORT"],
        "PGUSER": known["USER"],
        "PGPASSWORD": known["PASSWORD"],
    }
    return {**os.environ, **{name: str(value) for name, value in told.items() if value}}
