"""One sandbox for all tests that do not stop it, and one client to each of its services."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.sandbox.running import RunningSandbox, sandbox


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A sandbox with simulated guests."""
    with sandbox(tmp_path_factory.mktemp("sandbox") / "state") as started:
        yield started


@pytest.fixture
def control(running: RunningSandbox) -> Iterator[httpx.Client]:
    """The control endpoint; faults and scripts of a test end with it."""
    with httpx.Client(base_url=running.control, timeout=30) as client:
        yield client
        client.delete("/faults")
        client.delete("/model/script")


@pytest.fixture
def model(running: RunningSandbox) -> Iterator[httpx.Client]:
    """The model, with the farm's key."""
    report = running.report.services.model
    headers = {"Authorization": f"Bearer {report.key}"}
    with httpx.Client(base_url=report.endpoint, headers=headers, timeout=30) as client:
        yield client
