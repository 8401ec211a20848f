"""The page of a person's keys to the API."""

from __future__ import annotations

import re

from django.test import Client
from rest_framework.test import APIClient

from farm.accounts.models import ApiToken
from tests.farm.web import scenes

WISH = {"name": "cron", "scopes": ["people:read"], "days": "7"}


def made(browser: Client) -> str:
    """A token made on the page."""
    shown = browser.post("/account/tokens/", WISH).content.decode()
    return str(re.findall(r"farm_[\w-]+", shown)[0])


def status(token: str) -> int:
    """What it opens."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return int(client.get("/api/v1/accounts/").status_code)


def test_a_token_is_shown_once_works_and_is_taken_back(alice: Client) -> None:
    token = made(alice)
    assert status(token) == 200
    assert token not in alice.get("/account/tokens/").content.decode()
    uid = ApiToken.objects.get().uid
    assert alice.post(f"/account/tokens/{uid}/revoke/").status_code == 302
    assert status(token) == 401


def test_what_makes_no_sense_is_told_and_kept(alice: Client) -> None:
    answer = alice.post("/account/tokens/", {"name": "cron", "days": "7"})
    assert answer.status_code == 422
    shown = answer.content.decode()
    assert "Choose at least one thing" in shown
    assert 'value="cron"' in shown
    assert alice.post("/account/tokens/", {"name": "x", "days": "many"}).status_code == 422
    assert not ApiToken.objects.exists()


def test_nobody_sees_or_takes_back_anothers(
    people: scenes.People, alice: Client, charlie: Client
) -> None:
    made(alice)
    uid = ApiToken.objects.get().uid
    assert "cron" not in charlie.get("/account/tokens/").content.decode()
    assert charlie.post(f"/account/tokens/{uid}/revoke/").status_code == 404
    assert ApiToken.objects.get().revoked_at is None
