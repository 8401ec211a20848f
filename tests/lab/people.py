"""People, each with a browser of their own, and what they do at a farm."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.looking import SIZES, fits
from tests.lab.outside import Outside
from tests.lab.story import PATIENCE

SOON = 300_000
"""Milliseconds, for what needs no machine to come up; all of it was seen to take a few seconds."""
MICROS = 1_000_000
FETCHED = "address => fetch(address).then(answer => answer.text())"


@dataclass(frozen=True, slots=True)
class Spent:
    """In micros."""

    machine: int
    ai: int


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an address, in front of a page of the farm."""

    name: str
    page: Page
    outside: Outside

    @property
    def email(self) -> str:
        """Where the farm writes to them."""
        return f"{self.name.lower()}@example.org"

    def sign_up(self) -> None:
        """With the six digits that were mailed; they have an account of their own then."""
        self.page.goto("/")
        self._prove_address()
        self.page.get_by_role("link", name="New agent").first.wait_for()

    def join(self, link: str) -> None:
        """By a link that somebody passed on, without an agent."""
        self.page.goto(link)
        self.page.get_by_role("button", name="Create my agent").click()
        self._prove_address()
        self.page.locator("button[name=only_join]").click()
        self.page.wait_for_url("**/agents/")

    def _prove_address(self) -> None:
        self.page.locator("#id_email").fill(self.email)
        self.page.get_by_role("button", name="Send me a code").click()
        self.page.get_by_label("The code").fill(self.outside.code_for(self.email))
        self.page.get_by_role("button", name="Continue").click()

    def invite(self, guest: str, *, payer: str, cost_centre: str) -> None:
        """By mail, in French, with an agent that this payer pays for."""
        self.page.goto("/account/")
        self.page.locator("main a[href^='/accounts/']").click()
        self.page.get_by_role("link", name="Invite somebody").click()
        self.page.get_by_label("Their e-mail address").fill(guest)
        self.page.locator(".fold summary").click()
        self.page.locator("#id_language").select_option("fr")
        self.page.locator("#id_payer_uid").select_option(payer)
        self.page.get_by_label("Cost centre").fill(cost_centre)
        self.page.get_by_role("button", name="Invite", exact=True).click()
        self.page.get_by_text(guest).first.wait_for()

    def take_up(self, agent: str) -> None:
        """A mail, opened on a French phone: two taps and a name, for nothing."""
        self.page.goto(self.outside.link_for(self.email))
        assert fits(self.page)
        self.page.get_by_role("button", name="Créer mon agent").click()
        self.page.locator("#id_name").fill(agent)
        assert fits(self.page)
        self.page.get_by_role("button", name="Créer - 0 EUR pour vous").click()
        self.page.get_by_role("heading", name=agent, exact=True).wait_for()
        assert fits(self.page)

    def create(self, agent: str, elsewhere: str = "") -> None:
        """The button says the price, and another one elsewhere than in the usual place."""
        self.page.goto("/agents/new/")
        self.page.locator("#id_name").fill(agent)
        button = self.page.get_by_role("button", name=re.compile("^Create - .*EUR.*EUR"))
        if elsewhere:
            usual = button.inner_text()
            self.page.locator(".fold summary").click()
            self.page.get_by_label(elsewhere).check()
            expect(button).not_to_have_text(usual, timeout=SOON)
        button.click()
        self.page.get_by_role("heading", name=agent, exact=True).wait_for()

    def comes_back_to(self, agent: str) -> None:
        """From the list of what they have."""
        self.page.goto("/agents/")
        self.page.get_by_role("link", name=agent).first.click()
        self.page.get_by_role("heading", name=agent, exact=True).wait_for()

    def hears(self, words: str) -> None:
        """What the agent says by itself; a page of waiting becomes its home for that."""
        self.page.get_by_text(words).first.wait_for(timeout=PATIENCE)
        assert fits(self.page)

    def is_answered(self, question: str, words: str) -> None:
        """Ask in the page; the answer comes by itself."""
        said = self.page.locator(".said:not(.mine)")
        before = said.count()
        self.page.locator("#id_text").fill(question)
        self.page.locator("form.say button[type=submit]").click()
        expect(said).to_have_count(before + 1, timeout=SOON)
        expect(said.last).to_contain_text(words)

    def backs_up(self, agent: str) -> None:
        """On demand, until it is kept."""
        self.page.get_by_role("link", name="Back up now").click()
        self.page.get_by_role("button", name="Back up now").click()
        self.page.get_by_text("Bring back").first.wait_for()
        self.page.get_by_role("link", name=f"Back to {agent}").click()

    def deletes(self, agent: str) -> None:
        """Said gone only once the cloud shows it gone."""
        self.page.get_by_role("link", name=f"Delete {agent}").click()
        self.page.get_by_label("I have kept what I want to keep.").check()
        self.page.get_by_role("button", name=f"Delete {agent}").click()
        self.page.get_by_role("heading", name=f"{agent} is gone").wait_for()

    def brings_back(self) -> None:
        """From its last backup; the button says the price again."""
        self.page.get_by_role("link", name="Bring it back").click()
        self.page.get_by_role("button", name=re.compile("^Bring it back - .*EUR")).click()
        self.page.locator(".steps").wait_for()

    @contextmanager
    def console(self) -> Iterator[tuple[Page, Sequence[str]]]:
        """The agent's own console, one click away, and what it hears over its WebSockets."""
        frames: list[str] = []
        self.page.context.once("page", lambda opened: _listen(opened, frames))
        with self.page.context.expect_page() as opened:
            self.page.locator("a[href$='/open/']").click()
        console = opened.value
        yield console, frames
        console.close()

    def status_of(self, address: str) -> int:
        """What is answered to this person's browser where that address leads, in a tab apart."""
        tab = self.page.context.new_page()
        answer = tab.goto(address)
        tab.close()
        return answer.status if answer else 0

    def statement_of(self, payer: str, month: str) -> Spent:
        """What the payer's statement for spreadsheets adds up to."""
        self.page.goto("/money/")
        told = str(self.page.evaluate(FETCHED, f"/payers/{payer}/{month}/statement.csv"))
        rows = list(csv.DictReader(io.StringIO(told)))
        assert {row["currency"] for row in rows} <= {"EUR"}, told
        machine, ai = (sum(Decimal(row[kind]) for row in rows) for kind in ("machine", "ai"))
        return Spent(int(machine * MICROS), int(ai * MICROS))


def _listen(console: Page, frames: list[str]) -> None:
    console.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda frame: frames.append(str(frame))),
    )


@dataclass(frozen=True, slots=True)
class Crowd:
    """Everybody, at one farm's address."""

    browser: Browser
    site: str
    outside: Outside

    def person(self, name: str, size: str = "desktop", locale: str = "en-GB") -> Person:
        """Somebody new, with a browser that knows nothing yet."""
        width, height = SIZES[size]
        context: BrowserContext = self.browser.new_context(
            base_url=self.site,
            viewport={"width": width, "height": height},
            locale=locale,
            ignore_https_errors=True,
        )
        context.set_default_timeout(SOON)
        return Person(name, context.new_page(), self.outside)
