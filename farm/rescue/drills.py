"""A restore drill: the newest backup brought back in a place of its own, and looked at."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from farm.agents.models import RescueKind
from farm.rescue.archives import DATABASE, SEALED, SECRETS, make_archive, manifest_of, opened
from farm.rescue.counting import counted, open_secrets
from farm.rescue.dumps import load_into, vendor
from farm.rescue.keeping import demand_same_vendor, newest_in
from farm.rescue.noting import failure_noted, note_success
from farm.rescue.refusals import RescueRefused
from farm.rescue.secrets import keys_in


@dataclass(frozen=True, slots=True)
class Drill:
    """What was seen: `made_at` in ISO 8601, `secrets` is how many encrypted values opened.

    `archive` is "" if the newest one is sealed and no identity was at hand: then one like it was
    made, restored and thrown away.
    """

    archive: str
    made_at: str
    tables: int
    rows: int
    secrets: int


def drill(now: datetime, folder: Path, identity: Path | None) -> Drill:
    """Restore the newest backup of `folder` into a scratch database, and count what is in it.

    The farm works on meanwhile. What was seen is noted for the morning; RescueRefused if it failed.
    """
    with failure_noted(RescueKind.DRILL, now), tempfile.TemporaryDirectory() as kitchen:
        newest = newest_in(folder)
        if newest.suffix == SEALED and identity is None:
            own = make_archive(Path(kitchen), now=now, site=settings.SITE_URL, recipient="")
            seen = _restored(own, None, "")
        else:
            seen = _restored(newest, identity, newest.name)
        note_success(RescueKind.DRILL, now, archive=seen.archive, rows=seen.rows)
    return seen


def _restored(archive: Path, identity: Path | None, name: str) -> Drill:
    with opened(archive, identity) as inside, _scratch() as scratch:
        manifest = manifest_of(inside)
        demand_same_vendor(manifest)
        load_into(scratch, inside / DATABASE)
        rows = counted(scratch)
        _demand_all(manifest.rows, rows)
        secrets = open_secrets(scratch, keys_in(inside / SECRETS))
    return Drill(name, manifest.made_at, len(rows), sum(rows.values()), secrets)


def _demand_all(told: Mapping[str, int], found: Mapping[str, int]) -> None:
    if not told:
        sentence = "This backup is of an older farm and tells no rows: make one with `farm backup`."
        raise RescueRefused(sentence, "no_rows")
    for table in sorted(told.keys() | found.keys()):
        if told.get(table) != found.get(table):
            sentence = (
                f"The backup says that {table} has {told.get(table, 'no')} rows, but"
                f" {found.get(table, 'none')} came back: do not rely on it, make another one."
            )
            raise RescueRefused(sentence, "rows")


@contextmanager
def _scratch() -> Iterator[BaseDatabaseWrapper]:
    """An empty database of the same make, gone afterwards."""
    scratch = connection.copy()
    if vendor() == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            scratch.settings_dict["NAME"] = str(Path(folder) / "scratch.sqlite3")
            yield scratch
            scratch.close()
        return
    name = f"{connection.settings_dict['NAME']}_drill"
    scratch.settings_dict["NAME"] = name
    _create(name)
    try:
        yield scratch
    finally:
        scratch.close()
        _drop(name)


def _create(name: str) -> None:
    """What a drill that was killed left behind goes first."""
    try:
        _drop(name)
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {connection.ops.quote_name(name)} TEMPLATE template0")
    except DatabaseError as error:
        sentence = (
            f"No scratch database {name} can be made ({str(error).strip()}): let no other drill run"
            " meanwhile, and let the farm's role make databases, as the database's superuser:"
            f" ALTER ROLE {connection.ops.quote_name(str(_role()))} CREATEDB."
        )
        raise RescueRefused(sentence, "scratch") from error


def _drop(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {connection.ops.quote_name(name)}")


def _role() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return str(cursor.fetchone()[0])
