"""The page on which a person with a phone picks a bot and writes to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from tests.sandbox.running import RunningSandbox

HOSTILE = '<script>alert("x")</script>'


@pytest.fixture
def browser(running: RunningSandbox) -> Iterator[httpx.Client]:
    endpoint = running.report.services.telegram.endpoint
    with httpx.Client(base_url=endpoint, follow_redirects=True, timeout=30) as client:
        yield client


def phone(browser: httpx.Client, name: str = "Nadia") -> str:
    """A new phone's path."""
    return browser.post("/", data={"name": name, "language": "fr"}).url.path


def test_makes_a_bot_and_writes_to_it(browser: httpx.Client, control: httpx.Client) -> None:
    mine = phone(browser)
    username = f"t{uuid4().hex[:16]}_bot"
    made = browser.post(mine, data={"name": "Ada", "username": username})
    token = re.search(rf"@{username} - token <code>(\d+:\w+)</code>", made.text)
    assert token
    assert browser.post(f"{mine}/{username}", data={"text": "bonjour"}).status_code == 200
    update = browser.get(f"/bot{token[1]}/getUpdates").json()["result"][0]
    assert update["message"]["text"] == "bonjour"
    assert update["message"]["from"]["language_code"] == "fr"
    chat = update["message"]["chat"]["id"]
    browser.post(f"/bot{token[1]}/sendMessage", json={"chat_id": chat, "text": "salut Nadia"})
    assert "salut Nadia" in browser.get(f"{mine}/{username}/messages").text


def test_shows_hostile_words_as_words(browser: httpx.Client) -> None:
    mine = phone(browser, HOSTILE)
    username = f"t{uuid4().hex[:16]}_bot"
    browser.post(mine, data={"name": HOSTILE, "username": username})
    browser.post(f"{mine}/{username}", data={"text": HOSTILE})
    for path in ("/", mine, f"{mine}/{username}", f"{mine}/{username}/messages"):
        shown = browser.get(path)
        assert shown.status_code == 200
        assert "<script" not in shown.text
        assert "default-src 'none'" in shown.headers["content-security-policy"]


def test_says_what_is_wrong_with_a_bots_name(browser: httpx.Client) -> None:
    answer = browser.post(phone(browser), data={"name": "Ada", "username": "Ada"})
    assert answer.status_code == 422
    assert "ends in bot" in answer.text


def test_another_site_cannot_write_in_somebodys_name(browser: httpx.Client) -> None:
    mine = phone(browser)
    headers = {"Origin": "http://agents.localhost:8001"}
    answer = browser.post(f"{mine}/sandbox_ready_bot", data={"text": "x"}, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/phones/1", "/phones/1/nobody_bot"])
def test_an_unknown_phone_is_not_found(browser: httpx.Client, path: str) -> None:
    assert browser.get(path).status_code == 404


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example"])
def test_another_site_whose_name_leads_here_reads_nothing(browser: httpx.Client, name: str) -> None:
    host = f"{name}:{browser.base_url.port}"
    same = {"Host": host, "Origin": f"http://{host}"}
    assert browser.get("/", headers={"Host": host}).status_code == 403
    assert browser.post("/", data={"name": "Eve"}, headers=same).status_code == 403
