"""Every page in every state, on a phone and a desktop, in both languages, looked at for real."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.looking import Look, browsing, fits, picture
from tests.browser.site import Site

pytestmark = pytest.mark.browser

LOOKS = [Look(size, language) for size in ("phone", "desktop") for language in ("en", "fr")]
DARK = [Look("phone", "fr", "dark"), Look("desktop", "en", "dark")]
# Where each page is; {state} is the uid of the staged agent in that state.
ENTRANCE = {
    "landing": "/",
    "signup": "/account/signup/",
    "login": "/account/login/",
    "forgotten": "/account/password/reset/",
    "not-found": "/nothing/here/",
}
INSIDE = {
    "agents": "/agents/",
    "new": "/agents/new/",
    "placing": "/agents/{placing}/",
    "waiting": "/agents/{waiting}/",
    "held": "/agents/{held}/",
    "failed": "/agents/{failed}/",
    "hello": "/agents/{hello}/",
    "talking": "/agents/{talking}/",
    "delete": "/agents/{talking}/delete/",
    "leaving": "/agents/{leaving}/",
    "gone": "/agents/{gone}/",
    "telegram": "/agents/{hello}/telegram/",
    "account": "/account/",
    "address": "/account/email/",
    "password": "/account/password/set/",
}
UNLABELLED = """
[...document.querySelectorAll('input:not([type=hidden]), textarea, select')]
    .filter(field => !field.labels.length).map(field => field.outerHTML)
"""


@pytest.mark.parametrize("look", LOOKS + DARK, ids=str)
def test_pages_before_the_door(chromium: Browser, still: Site, look: Look) -> None:
    with browsing(chromium, still, look) as (page, complaints):
        for name, path in ENTRANCE.items():
            page.goto(path)
            _holds(page, look, name)
    assert [said for said in complaints if "404" not in said] == []


@pytest.mark.parametrize("look", LOOKS + DARK, ids=str)
def test_pages_behind_the_door(chromium: Browser, still: Site, look: Look) -> None:
    with browsing(chromium, still, look, "alice") as (page, complaints):
        for name, path in INSIDE.items():
            page.goto(path.format(**still.agents))
            _holds(page, look, name)
    assert complaints == []


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_newcomer_is_invited(chromium: Browser, still: Site, look: Look) -> None:
    with browsing(chromium, still, look, "zoe") as (page, complaints):
        page.goto("/agents/")
        _holds(page, look, "agents-empty")
        page.locator(".empty .button").click()
        page.wait_for_selector("#offer button:enabled")
    assert complaints == []


def _holds(page: Page, look: Look, name: str) -> None:
    """What every page promises: it fits, it has one heading, and every field has a label."""
    picture(page, look, name)
    assert fits(page), f"{name} is wider than {look.size}"
    assert page.locator("h1").count() == 1, name
    assert page.locator("html").get_attribute("lang") == look.language
    assert page.evaluate(UNLABELLED) == [], name
