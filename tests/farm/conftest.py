"""What every door stands on: a folder for the site's files."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings


@pytest.fixture(scope="session", autouse=True)
def static_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A site that lives as long as the tests is not warned of a folder that nobody filled."""
    with override_settings(STATIC_ROOT=tmp_path_factory.mktemp("static")):
        yield
