"""Alice, Bob and Charlie in a browser each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django.fixtures import Settings

from farm.accounts.models import User
from tests.farm.web import scenes


@pytest.fixture(autouse=True)
def calm(settings: Settings, tmp_path: Path) -> Iterator[None]:
    """No test pays for how often another knocked; static files are not what is tried here."""
    settings.STATIC_ROOT = tmp_path
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def people(db: None) -> scenes.People:
    """The three, and the cloud's prices."""
    scenes.prices()
    return scenes.people()


@pytest.fixture
def alice(people: scenes.People) -> Client:
    """The owner's browser."""
    return logged_in(people.alice)


@pytest.fixture
def bob(people: scenes.People) -> Client:
    """The team mate's browser."""
    return logged_in(people.bob)


@pytest.fixture
def charlie(people: scenes.People) -> Client:
    """The stranger's browser."""
    return logged_in(people.charlie)


def logged_in(user: User) -> Client:
    """A browser in which that person is logged in; CSRF is checked as in a real one."""
    client = Client()
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    return client
