"""What every test stands on: a database in a file, as a farm has it."""

from __future__ import annotations

import pytest
from django.db import connections


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """SQLite in memory locks whole tables and knows no WAL: threads would meet another database."""
    folder = tmp_path_factory.mktemp("database")
    for connection in connections.all(initialized_only=False):
        connection.settings_dict["TEST"]["NAME"] = str(folder / f"{connection.alias}.sqlite3")
