"""Alice, Bob and Charlie, a cloud with prices, and the sandbox's model to think with."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from tests.farm.web import scenes


@pytest.fixture
def people(db: None, settings: Settings) -> scenes.People:
    """The owner, her team mate and a stranger."""
    settings.SANDBOX_MODEL_ENDPOINT = "http://127.0.0.1:1/v1"
    settings.SANDBOX_MODEL = "sandbox-1"
    scenes.prices()
    return scenes.people()
