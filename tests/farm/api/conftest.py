"""Alice, Bob and Charlie with a token each, at a farm whose sandbox's model needs no key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.cache import cache
from pytest_django.fixtures import Settings
from rest_framework.response import Response
from rest_framework.test import APIClient

from farm.accounts.models import Door, User
from farm.accounts.tokens import Scope, make_token
from tests.farm.web import scenes


@dataclass(frozen=True, slots=True)
class Caller:
    """A program that holds somebody's token."""

    client: APIClient
    authorization: str

    def get(self, path: str) -> Response:
        """The answer to a question."""
        answer: Response = self.client.get(f"/api/v1/{path}")
        return answer

    def post(self, path: str, body: object = None) -> Response:
        """The answer to a wish."""
        answer: Response = self.client.post(f"/api/v1/{path}", body, format="json")
        return answer

    def put(self, path: str, body: object = None) -> Response:
        """The answer to a wish for what is to be there."""
        answer: Response = self.client.put(f"/api/v1/{path}", body, format="json")
        return answer

    def delete(self, path: str) -> Response:
        """The answer to a wish for an end."""
        answer: Response = self.client.delete(f"/api/v1/{path}")
        return answer


def caller(user: User, *scopes: Scope) -> Caller:
    """A program with a token of these scopes, all of them unless some are named."""
    made = make_token(
        actor=user, door=Door.CLI, name="tests", scopes=scopes or tuple(Scope), days=1
    )
    client = APIClient()
    authorization = f"Bearer {made.text}"
    client.credentials(HTTP_AUTHORIZATION=authorization)
    return Caller(client, authorization)


@pytest.fixture
def people(db: None, settings: Settings, tmp_path: Path) -> Iterator[scenes.People]:
    """The owner, her team mate and a stranger."""
    settings.SANDBOX_MODEL_ENDPOINT = "http://127.0.0.1:1/v1"
    settings.SANDBOX_MODEL = "sandbox-1"
    settings.STATIC_ROOT = tmp_path
    cache.clear()
    scenes.prices()
    yield scenes.people()
    cache.clear()


@pytest.fixture
def alice(people: scenes.People) -> Caller:
    """The owner's program."""
    return caller(people.alice)


@pytest.fixture
def bob(people: scenes.People) -> Caller:
    """The team mate's."""
    return caller(people.bob)


@pytest.fixture
def charlie(people: scenes.People) -> Caller:
    """The stranger's."""
    return caller(people.charlie)
