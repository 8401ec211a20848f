"""One stage for each process of the test run; people and agents are new in each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.edge.stage import Stage, stage


@pytest.fixture(scope="session")
def playing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The farm with its edge."""
    with stage(tmp_path_factory.mktemp("edge")) as made:
        yield made
