"""Where the farm's rows are: a file of SQLite's, or the Postgres that DATABASE_URL names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url

from farm.env import SettingError

SCHEMES = ("postgres", "postgresql")
KEPT_SECONDS = 60
"""How long a thread keeps its connection; each is looked at before it is used again."""


def database(url: str, folder: Path) -> Mapping[str, object]:
    """What Django is told of the database; `folder` is where SQLite keeps it without a `url`.

    A socket's folder is written as the host with %2F for each slash. SettingError for a URL that
    is not Postgres's.
    """
    return _postgres(url) if url else _sqlite(folder / "farm.sqlite3")


def _sqlite(path: Path) -> Mapping[str, object]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }


def _postgres(url: str) -> Mapping[str, object]:
    if urlsplit(url).scheme not in SCHEMES:
        raise SettingError(
            "DATABASE_URL is no address of Postgres: say postgres://USER:PASSWORD@HOST/NAME, or"
            " postgres:///NAME for the one on this machine."
        )
    parsed = dj_database_url.parse(url, conn_max_age=KEPT_SECONDS, conn_health_checks=True)
    given = parsed.get("OPTIONS") or {}
    options = {"connect_timeout": 10, "application_name": "farm", **given}
    return {**parsed, "OPTIONS": options}
