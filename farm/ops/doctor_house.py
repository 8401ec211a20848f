"""What the doctor looks at on this machine: packages, settings, database, disk."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from django.conf import settings
from django.core.checks import ERROR, run_checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from farm.ops.findings import Finding
from farm.ops.translations import stale_translations

LOCK = settings.BASE_DIR / "deploy" / "requirements.txt"
LEAST_FREE_GB = 2


def python() -> Iterator[Finding]:
    """The interpreter and the packages of the lock."""
    running = ".".join(str(part) for part in sys.version_info[:3])
    wrong = [name for name, wanted in _locked() if _installed(name) != wanted]
    if wrong:
        said = f"Not as in {LOCK.name}: {', '.join(wrong)}."
        yield Finding("python", said, "Run `make setup`.")
    else:
        yield Finding("python", f"Python {running}, every package as locked.")


def _locked() -> list[tuple[str, str]]:
    text = LOCK.read_text() if LOCK.exists() else ""
    return re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE)


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def checked_settings() -> Iterator[Finding]:
    """Django's system checks, the farm's own among them."""
    errors = [found for found in run_checks() if found.level >= ERROR]
    for error in errors:
        yield Finding("settings", str(error.msg), error.hint or "See docs/configuration.md.")
    if not errors:
        mode = "for a laptop (DEBUG is on)" if settings.DEBUG else "for production"
        mode = "for a LAB, in which nothing is real" if settings.LAB else mode
        yield Finding("settings", f"Good {mode}.")


def database() -> Iterator[Finding]:
    """Whether it answers and is migrated."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield Finding("database", f"It does not answer: {error}.", "Run `farm prepare`.")
        return
    if missing:
        yield Finding("database", f"{len(missing)} migrations are missing.", "Run `farm prepare`.")
    else:
        yield Finding("database", f"{connection.display_name}, migrated.")


def translations() -> Iterator[Finding]:
    """Whether French is what the sources say."""
    if stale := stale_translations():
        yield Finding("translations", f"{len(stale)} not compiled.", "Run `farm prepare`.")
    else:
        yield Finding("translations", "Compiled.")


def disk() -> Iterator[Finding]:
    """Room where the farm keeps its data."""
    folder = _existing(settings.FARM_DATA)
    free_gb = shutil.disk_usage(folder).free / 1e9
    said = f"{free_gb:.0f} GB free in {settings.FARM_DATA}."
    if free_gb < LEAST_FREE_GB:
        yield Finding("disk", said, f"Make room: {LEAST_FREE_GB} GB at least.")
    else:
        yield Finding("disk", said)


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)
