"""Tokens: hashed, scoped, expiring, and dead once they are revoked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from farm.accounts.models import ApiToken, AuditEntry, Door
from farm.accounts.refusals import Refused
from farm.accounts.tokens import MadeToken, Scope, make_token, revoke_token
from tests.farm.web import scenes

PATH = "/api/v1/accounts/"


def made(people: scenes.People, days: int = 30) -> MadeToken:
    """A token of Alice's."""
    return make_token(
        actor=people.alice, door=Door.WEB, name="cron", scopes=[Scope.PEOPLE_READ], days=days
    )


def status(text: str) -> int:
    """What that token opens."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return int(client.get(PATH).status_code)


def test_a_token_opens_until_it_is_revoked(people: scenes.People) -> None:
    token = made(people)
    assert status(token.text) == 200
    revoke_token(actor=people.alice, door=Door.WEB, uid=token.row.uid)
    assert status(token.text) == 401
    verbs = AuditEntry.objects.filter(subject=token.row.uid).values_list("verb", flat=True)
    assert set(verbs) == {"make token", "revoke token"}


def test_a_token_expires(people: scenes.People) -> None:
    token = made(people)
    ApiToken.objects.filter(pk=token.row.pk).update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )
    assert status(token.text) == 401


def test_a_scope_that_is_missing_is_missing_for_every_method(people: scenes.People) -> None:
    token = make_token(
        actor=people.alice, door=Door.WEB, name="x", scopes=[Scope.MONEY_READ], days=1
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token.text}")
    for ask in (client.get, client.head):
        assert ask(PATH).status_code == 403


def test_only_a_hash_is_kept(people: scenes.People) -> None:
    token = made(people)
    secret = token.text.rpartition(token.row.uid)[2].lstrip("_")
    kept = ApiToken.objects.values().get(pk=token.row.pk)
    assert not any(secret in str(value) for value in kept.values())


def test_what_is_no_token_opens_nothing(people: scenes.People) -> None:
    token = made(people)
    wrong = (
        "",
        "x",
        token.row.uid,
        f"farm_{token.row.uid}_",
        f"{token.text}x",
        token.text[:-1],
        token.row.token_hash,
        f"farm_{token.row.uid}_{token.row.token_hash}",
        "farm_é_é",
    )
    assert {status(text) for text in wrong} == {401}


def test_a_person_who_may_not_come_in_has_no_tokens_either(people: scenes.People) -> None:
    token = made(people)
    people.alice.is_active = False
    people.alice.save()
    assert status(token.text) == 401


def test_no_cookie_opens_the_api(people: scenes.People) -> None:
    browser = Client()
    browser.force_login(people.alice, "allauth.account.auth_backends.AuthenticationBackend")
    assert browser.get(PATH).status_code == 401


def test_nobody_revokes_anothers_token(people: scenes.People) -> None:
    token = made(people)
    with pytest.raises(ApiToken.DoesNotExist):
        revoke_token(actor=people.charlie, door=Door.WEB, uid=token.row.uid)
    assert status(token.text) == 200


@pytest.mark.parametrize(
    ("name", "scopes", "days", "field"),
    [
        ("", ["agents:read"], 1, "name"),
        ("cron", [], 1, "scopes"),
        ("cron", ["agents:own"], 1, "scopes"),
        ("cron", ["agents:read"], 0, "days"),
        ("cron", ["agents:read"], 366, "days"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused_at_its_field(
    people: scenes.People, name: str, scopes: list[str], days: int, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        make_token(actor=people.alice, door=Door.WEB, name=name, scopes=scopes, days=days)
    assert refused.value.field == field


def test_its_use_is_noted_now_and_then(people: scenes.People) -> None:
    token = made(people)
    assert status(token.text) == 200
    first = ApiToken.objects.get(pk=token.row.pk).used_at
    assert first is not None
    assert status(token.text) == 200
    assert ApiToken.objects.get(pk=token.row.pk).used_at == first
