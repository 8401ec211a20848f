"""A fresh cloud for each test, and every answer of it held against the official description."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hcloud import Client

from tests.sandbox.hetzner.cloud_at_work import CloudAtWork, cloud_at_work
from tests.sandbox.hetzner.official import MISSING, SPEC, OfficialSpec


@cache
def _description() -> OfficialSpec:
    return OfficialSpec()


@pytest.fixture
def official() -> OfficialSpec:
    """The official description, where it is at hand."""
    if not SPEC.exists():
        pytest.skip(MISSING)
    return _description()


@pytest.fixture
def at_work(tmp_path: Path) -> Iterator[CloudAtWork]:
    """A cloud; whatever it answers is checked if the official description is at hand."""
    with cloud_at_work(tmp_path / "hetzner") as started:
        if SPEC.exists():
            started.watch = _description().check
        yield started


@pytest.fixture
def client(at_work: CloudAtWork) -> Client:
    """The official client with the first project's token."""
    return at_work.client()
