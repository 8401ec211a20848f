"""Every page in every state, on a phone and a desktop, in both languages, looked at for real."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import Look, browsing, fits, picture
from tests.browser.site import Site

pytestmark = pytest.mark.browser

LOOKS = [Look(size, language) for size in ("phone", "desktop") for language in ("en", "fr")]
AT_NIGHT = ("agents", "new", "held", "failed", "talking", "delete", "asleep", "machine", "schedule")
PHONE = Look("phone", "en")
DARK = [Look("phone", "fr", "dark"), Look("desktop", "en", "dark")]
# Where each page is; {state} stands for the uid of the staged agent in that state.
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
    "hello": "/agents/{hello_LANGUAGE}/",
    "talking": "/agents/{talking}/",
    "delete": "/agents/{talking}/delete/",
    "leaving": "/agents/{leaving}/",
    "gone": "/agents/{gone}/",
    "telegram": "/agents/{unlinked}/telegram/",
    "whatsapp": "/agents/{unlinked}/whatsapp/",
    "slack": "/agents/{hello_LANGUAGE}/slack/",
    "whatsapp-asked": "/agents/{hello_LANGUAGE}/whatsapp/",
    "linking": "/agents/{unlinked}/",
    "awake": "/agents/{hours}/",
    "asleep": "/agents/{asleep}/",
    "waking": "/agents/{waking}/",
    "moving": "/agents/{moving}/",
    "stayed": "/agents/{stayed}/",
    "machine": "/agents/{hours}/machine/",
    "move": "/agents/{hours}/move/?region=europe",
    "rebuild": "/agents/{hours}/rebuild/",
    "schedule": "/agents/{hours}/schedule/",
    "wake": "/agents/{asleep}/wake/",
    "account": "/account/",
    "address": "/account/email/",
    "password": "/account/password/set/",
}
UNLABELLED = """
[...document.querySelectorAll('input:not([type=hidden]), textarea, select')]
    .filter(field => !field.labels.length).map(field => field.outerHTML)
"""


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_pages_before_the_door(chromium: Browser, still: Site, look: Look) -> None:
    with browsing(chromium, still, look) as (page, complaints):
        for name, path in ENTRANCE.items():
            page.goto(path)
            _holds(page, look, name)
    assert [said for said in complaints if "404" not in said] == []


@pytest.mark.parametrize("look", LOOKS + DARK, ids=str)
def test_pages_behind_the_door(chromium: Browser, still: Site, look: Look) -> None:
    names = AT_NIGHT if look.scheme == "dark" else tuple(INSIDE)
    with browsing(chromium, still, look, "alice") as (page, complaints):
        for name in names:
            page.goto(_path(name, still, look))
            _holds(page, look, name)
    assert complaints == []


def test_a_conversation_is_read_from_its_end(chromium: Browser, still: Site) -> None:
    with browsing(chromium, still, PHONE, "alice") as (page, _):
        page.goto(_path("talking", still, PHONE))
        expect(page.locator(".dots")).to_be_in_viewport()
        expect(page.get_by_label("Write to Rose")).to_be_in_viewport()
        picture(page, PHONE, "talking-end", whole=False)


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_newcomer_is_invited(chromium: Browser, still: Site, look: Look) -> None:
    with browsing(chromium, still, look, "zoe") as (page, complaints):
        page.goto("/agents/")
        _holds(page, look, "agents-empty")
        page.locator(".empty .button").click()
        page.wait_for_selector("#offer button:enabled")
    assert complaints == []


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_price_that_is_not_known_yet(chromium: Browser, still: Site, look: Look) -> None:
    with browsing(chromium, still, look, "alice") as (page, complaints):
        page.goto("/agents/new/")
        page.locator(".fold summary").click()
        page.locator("input[name=region][value=finland]").check()
        page.wait_for_selector("#offer button:disabled")
        page.locator("input[name=model_provider][value=anthropic]").check()
        page.wait_for_selector("#id_model_key")
        _holds(page, look, "new-no-price")
    assert complaints == []


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_page_that_was_open_for_too_long(chromium: Browser, still: Site, look: Look) -> None:
    with browsing(chromium, still, look) as (page, _):
        page.goto("/account/signup/")
        page.context.clear_cookies()
        page.locator("#id_email").fill("dora@example.org")
        page.locator("main button[type=submit]").click()
        page.wait_for_selector("main a.button[href='/account/signup/']")
        _holds(page, look, "csrf")


def _path(name: str, still: Site, look: Look) -> str:
    """Where that page is; an agent that says hello speaks the reader's language."""
    return INSIDE[name].replace("LANGUAGE", look.language).format(**still.agents)


def _holds(page: Page, look: Look, name: str) -> None:
    """What every page promises: it fits, it has one heading, and every field has a label."""
    picture(page, look, name)
    assert fits(page), f"{name} is wider than {look.size}"
    assert page.locator("h1").count() == 1, name
    assert page.locator("html").get_attribute("lang") == look.language
    assert page.evaluate(UNLABELLED) == [], name
