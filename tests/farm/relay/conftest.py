"""A sandbox's models behind a relay that listens."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from pytest_django.fixtures import Settings

from tests.farm.relay.actors import a_relay
from tests.sandbox.running import RunningSandbox, sandbox


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """The outside world."""
    with sandbox(tmp_path_factory.mktemp("outside") / "state") as running:
        yield running


@pytest.fixture
def control(outside: RunningSandbox) -> Iterator[httpx.Client]:
    """The control endpoint; faults and scripts of a test end with it."""
    with httpx.Client(base_url=outside.control, timeout=30) as client:
        yield client
        client.delete("/faults")
        client.delete("/model/script")
        client.delete("/model/pace")


@pytest.fixture
def upstream(outside: RunningSandbox, settings: Settings) -> str:
    """The farm's key at the sandbox's models, which every provider's endpoint leads to."""
    model = outside.report.services.model
    settings.MODEL_ENDPOINTS = {
        "anthropic": model.anthropic_endpoint,
        "openai": model.endpoint,
        "openrouter": model.endpoint,
        "mistral": model.endpoint,
        "google": f"{model.anthropic_endpoint}/v1beta",
    }
    return model.key


@pytest.fixture
def relay(transactional_db: None, upstream: str) -> Iterator[str]:
    """The address of a relay."""
    with a_relay() as address:
        yield address
