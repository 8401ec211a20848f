"""Every cloud that the contract is tried on, one after another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.subjects import Subject, subject


@pytest.fixture(params=["memory", "hetzner", "scaleway"])
def cloud(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    """Each provider in turn."""
    with subject(request.param, tmp_path) as found:
        yield found
