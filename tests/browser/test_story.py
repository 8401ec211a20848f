"""From the first page to an agent's last, in a browser, with the whole farm behind it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Error, Page, expect

from tests.browser.looking import Look, browsing, picture
from tests.browser.site import Site, free_port, run, serving, started, until
from tests.sandbox.running import RunningSandbox, sandbox

pytestmark = pytest.mark.browser

PATIENCE = 120_000
SOON = 15_000
LOOK = Look("phone", "en")


@dataclass(frozen=True, slots=True)
class Farm:
    """A site with everything behind it, and the outside world it stands on."""

    site: Site
    outside: RunningSandbox

    def code_for(self, email: str) -> str:
        """The six digits that were mailed, once they arrive."""
        found: list[str] = []

        def arrived() -> bool:
            found.extend(re.findall(r"\b\d{6}\b", " ".join(self.mails_to(email))))
            return bool(found)

        until(arrived)
        return found[0]

    def mails_to(self, email: str) -> list[str]:
        """What was mailed to that address, newest first."""
        page = self.outside.report.services.mail.page
        answer = httpx.get(f"{page.rstrip('/')}/messages", params={"to": email})
        return [f"{mail['subject']} {mail['text']}" for mail in answer.json()["messages"]]

    def write_to_bot(self, text: str) -> None:
        """Somebody's phone writes to the sandbox's ready-made bot."""
        bot = self.outside.report.services.telegram.bot_username
        body = {"bot": bot, "from": 4711, "name": "Dora", "text": text}
        answer = httpx.post(f"{self.outside.control}/telegram/messages", json=body)
        answer.raise_for_status()


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """Sandbox, site, worker and tunnel, each a process of its own."""
    data = tmp_path_factory.mktemp("farm")
    with ExitStack() as running:
        outside = running.enter_context(sandbox(data / "sandbox"))
        port, tunnel = free_port(), free_port()
        own = {"FARM_DATA": str(data), "PORT": str(port), "TUNNEL_PORT": str(tunnel), "DEBUG": "1"}
        environ = os.environ | dict(outside.env) | own
        run(environ, "-m", "farm", "prepare")
        running.enter_context(started(environ, data, "farm", "worker"))
        running.enter_context(started(environ, data, "farm", "tunnel"))
        url = running.enter_context(serving(environ, port, data))
        yield Farm(Site(url, agents={}, sessions={}, account="", invitations={}, money={}), outside)


def test_from_sign_up_to_gone(chromium: Browser, farm: Farm) -> None:
    with browsing(chromium, farm.site, LOOK) as (page, complaints):
        page.set_default_timeout(PATIENCE)
        sign_up(page, farm, "dora@example.org")
        create(page, "Nino")
        link_telegram(page, farm)
        says_hello(page)
        assert any("Nino answers" in mail for mail in farm.mails_to("dora@example.org"))
        is_answered(page)
        opens(page)
        delete(page)
    assert [said for said in complaints if "422" not in said] == []


def sign_up(page: Page, farm: Farm, email: str) -> None:
    """With six digits."""
    page.goto("/")
    page.get_by_label("Your e-mail address").fill(email)
    page.get_by_role("button", name="Send me a code").click()
    picture(page, LOOK, "code")
    page.get_by_label("The code").fill("000 000")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#code_error")).to_be_visible(timeout=PATIENCE)
    picture(page, LOOK, "code-wrong")
    page.get_by_label("The code").fill(farm.code_for(email))
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("link", name="New agent").click()


def create(page: Page, name: str) -> None:
    """The price is on the button, follows the choice, and a wrong name is told at its field."""
    button = page.get_by_role("button", name=re.compile("Create - "))
    button.wait_for()
    usual = button.inner_text()
    page.locator(".fold summary").click()
    page.get_by_label("8 GB").check()
    expect(button).not_to_have_text(usual, timeout=PATIENCE)
    picture(page, LOOK, "new-open")
    page.get_by_label("4 GB").check()
    expect(button).to_have_text(usual, timeout=PATIENCE)
    page.get_by_label("Its name").fill("admin")
    page.get_by_role("button", name=re.compile("Create - ")).click()
    expect(page.locator("#name_error")).to_be_visible(timeout=PATIENCE)
    picture(page, LOOK, "new-refused")
    page.get_by_label("Its name").fill(name)
    page.get_by_role("button", name=re.compile("Create - ")).click()
    page.get_by_role("heading", name=name, exact=True).wait_for()


def link_telegram(page: Page, farm: Farm) -> None:
    """Paste a token, send the code from a phone; nobody types a number."""
    paste(page, "not a token", "#telegram_error")
    paste(page, farm.outside.report.services.telegram.bot_token, ".passcode")
    farm.write_to_bot(page.locator(".passcode").inner_text())
    page.locator("#telegram").get_by_text("Telegram is linked").wait_for()
    picture(page, LOOK, "telegram-linked")


def paste(page: Page, token: str, shown: str) -> None:
    """Until the page shows what follows: the agent may come to life, and its page, meanwhile."""

    def followed() -> bool:
        try:
            for folded in page.locator("#telegram details:not([open]) > summary").all():
                folded.click(timeout=SOON)
            form = page.locator("#telegram")
            form.get_by_label("Token of the bot").fill(token, timeout=SOON)
            form.get_by_role("button", name="Link Telegram").click(timeout=SOON)
            page.locator(shown).wait_for(timeout=SOON)
        except Error:
            return page.locator(shown).is_visible()
        return True

    until(followed, PATIENCE / 1000)


def says_hello(page: Page) -> None:
    """The page becomes the agent's home by itself, and the agent speaks first."""
    page.get_by_text("I am Nino").wait_for()
    expect(page.locator(".chip")).to_have_count(3)
    picture(page, LOOK, "story-hello")


def is_answered(page: Page) -> None:
    """A suggestion, then words of one's own; Enter sends."""
    page.locator(".chip").nth(1).click()
    expect(page.locator(".said:not(.mine)")).to_have_count(2, timeout=PATIENCE)
    field = page.get_by_label("Write to Nino")
    field.fill("Run `echo $((20 + 22))` and tell me what it says")
    field.press("Enter")
    expect(page.locator(".said:not(.mine)")).to_have_count(3, timeout=PATIENCE)
    expect(page.locator(".said:not(.mine)").last).to_contain_text("42")
    expect(field).to_have_value("")
    picture(page, LOOK, "story-answered")
    for quickly in ("One more thing", "And another"):
        field.fill(quickly)
        field.press("Enter")
    expect(page.locator(".said.mine").filter(has_text="And another")).to_be_visible()
    expect(field).to_have_value("", timeout=PATIENCE)


def opens(page: Page) -> None:
    """In a tab of its own, on a host of its own."""
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open its console").click()
    console = opened.value
    console.wait_for_load_state()
    host = urlsplit(console.url).hostname or ""
    assert host.endswith(".agents.localhost")
    console.close()


def delete(page: Page) -> None:
    """Said gone only once it is."""
    page.get_by_role("link", name="Delete Nino").click()
    page.get_by_label("I have kept what I want to keep.").check()
    page.get_by_role("button", name="Delete Nino").click()
    page.get_by_role("heading", name="Nino is gone").wait_for()
    picture(page, LOOK, "story-gone")


def test_a_lost_connection_is_said_and_found_again(chromium: Browser, still: Site) -> None:
    with browsing(chromium, still, LOOK, "alice") as (page, _):
        page.goto(f"/agents/{still.agents['waiting']}/")
        page.context.set_offline(True)
        expect(page.locator("#lost")).to_be_visible(timeout=PATIENCE)
        picture(page, LOOK, "lost")
        page.context.set_offline(False)
        expect(page.locator("#lost")).to_be_hidden(timeout=PATIENCE)
        page.reload()
        expect(page.locator(".step.done")).to_have_count(3)
