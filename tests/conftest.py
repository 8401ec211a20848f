"""What every test stands on: a database in a file, as a farm has it, or the Postgres of the run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import hypothesis
import pytest
from django.db import connections

from farm.billing.append_only import unguard_lines

# How fast examples come depends on what else this machine does, and is no promise of ours.
hypothesis.settings.register_profile(
    "farm", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("farm")


LONGEST = "test_invoices.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest test is begun first, so that no process waits for it alone in the end."""
    items.sort(key=lambda item: item.path.name != LONGEST)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """SQLite in memory locks whole tables and knows no WAL: threads would meet another database."""
    folder = tmp_path_factory.mktemp("database")
    for connection in connections.all(initialized_only=False):
        if connection.vendor == "sqlite":
            name = str(folder / f"{connection.alias}.sqlite3")
        else:
            name = f"test_{os.getpid()}"
        connection.settings_dict["TEST"]["NAME"] = name


@pytest.fixture(autouse=True)
def lines_may_go(request: pytest.FixtureRequest) -> Iterator[None]:
    """After a test that commits, its database is emptied: of usage lines too, but by nobody else.

    The next migration signal, which emptying sends, puts the guard back.
    """
    marker = request.node.get_closest_marker("django_db")
    commits = marker is not None and marker.kwargs.get("transaction")
    if not commits and not {"transactional_db", "live_server"} & set(request.fixturenames):
        yield
        return
    request.getfixturevalue("_django_db_helper")
    yield
    unguard_lines("default")
