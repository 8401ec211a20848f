"""A wallet's whole story in a browser, with the farm and Stripe's hosted pages behind it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import Look, browsing, fits, picture
from tests.browser.site import Site, free_port, run, serving, started, until
from tests.sandbox.running import sandbox
from tests.sandbox.stripe.acting import ASKS_ALWAYS, DECLINED, GOOD

pytestmark = pytest.mark.browser

PATIENCE = 120_000
LOOK = Look("phone", "en")
BEGIN = "from tests.browser.money_turns import begin; print(begin())"
SPEND = "from tests.browser.money_turns import spend_down_to; spend_down_to({days})"


@dataclass(frozen=True, slots=True)
class Farm:
    """A site with workers and Stripe behind it, and what a program of it is told."""

    site: Site
    environ: Mapping[str, str]

    def spend_down_to(self, days: int) -> None:
        """As if use had left so many days of money; below 0 it is used up."""
        run(self.environ, "manage.py", "shell", "-v0", "-c", SPEND.format(days=days))


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """Sandbox, site and worker, each a process of its own; Nadia's account pays in advance."""
    data = tmp_path_factory.mktemp("farm")
    with ExitStack() as running:
        outside = running.enter_context(sandbox(data / "sandbox"))
        port = free_port()
        own = {"FARM_DATA": str(data), "PORT": str(port), "DEBUG": "1"}
        environ = os.environ | dict(outside.env) | own
        run(environ, "-m", "farm", "prepare")
        told = json.loads(run(environ, "manage.py", "shell", "-v0", "-c", BEGIN).splitlines()[-1])
        running.enter_context(started(environ, data, "farm", "worker"))
        url = running.enter_context(serving(environ, port, data))
        site = Site(url, {}, {"nadia": told["session"]}, "", {}, told)
        yield Farm(site, environ)


def test_pay_in_run_dry_pay_and_come_back(chromium: Browser, farm: Farm) -> None:
    wallet = f"/payers/{farm.site.money['payer']}/wallet/"
    with browsing(chromium, farm.site, LOOK, "nadia") as (page, complaints):
        page.set_default_timeout(PATIENCE)
        is_led_to_the_wallet(page)
        pays_after_a_decline_and_the_banks_question(page)
        create(page, "Nino")
        has_a_card_charged_by_itself(page, wallet)
        is_topped_up_by_itself(page, farm, wallet)
        runs_dry(page, farm, wallet)
        pays_and_comes_back(page, wallet)
    assert [said for said in complaints if "422" not in said] == []


def is_led_to_the_wallet(page: Page) -> None:
    """Before anything is made, the page says what is missing, and leads to where it is paid in."""
    page.goto("/agents/new/")
    page.get_by_role("link", name=re.compile("Pay in ")).click()
    expect(page.get_by_label("Another amount")).not_to_have_value("")
    page.get_by_label("Another amount").fill("4.99")
    page.get_by_role("button", name="Pay in this amount").click()
    expect(page.locator("#amount_error")).to_be_visible()
    expect(page.get_by_label("Another amount")).to_have_value("4.99")


def pays_after_a_decline_and_the_banks_question(page: Page) -> None:
    """Nothing is said to be paid before it is."""
    page.get_by_role("button", name="Pay in 50.00").click()
    pay(page, DECLINED)
    expect(page.get_by_role("alert")).to_contain_text("declined")
    page.get_by_role("link", name="Back").click()
    expect(page.locator("#top-up")).to_contain_text("It is not paid yet")
    page.get_by_role("link", name="Go on to pay").click()
    pay(page, ASKS_ALWAYS)
    page.get_by_role("button", name="Complete").click()
    expect(page.locator("#top-up")).to_contain_text("50.00\xa0EUR have come")
    shown(page, "money-story-paid")


def pay(page: Page, number: str, button: str = "Pay") -> None:
    """What a buyer types into the hosted page."""
    page.get_by_label("Card number").fill(number)
    page.get_by_label("MM / YY").fill("12 / 40")
    page.get_by_label("CVC").fill("123")
    page.get_by_label("Name on card").fill("Nadia")
    page.get_by_label("Country").fill("FR")
    page.get_by_role("button", name=button).click()


def create(page: Page, name: str) -> None:
    """Now the button says how long the wallet lasts."""
    page.goto("/agents/new/")
    expect(page.locator("#offer")).to_contain_text("The wallet lasts")
    page.get_by_label("Its name").fill(name)
    page.get_by_role("button", name=re.compile("Create - ")).click()
    page.get_by_text(f"I am {name}").wait_for()


def has_a_card_charged_by_itself(page: Page, wallet: str) -> None:
    """Another card than the one that asks each time; and only with the owner's word."""
    page.goto(wallet)
    page.get_by_role("button", name="Use another card").click()
    pay(page, GOOD, "Save card")
    expect(page.get_by_role("status").first).to_contain_text("Kept: Visa 4242")
    page.get_by_label("Charge it by itself").fill("20")
    page.get_by_role("button", name="Charge it by itself").click()
    expect(page.locator("#agreed_error")).to_be_visible()
    page.get_by_label("I agree that the kept card").check()
    page.get_by_role("button", name="Charge it by itself").click()
    expect(page.locator("#card")).to_contain_text("It is charged 20.00\xa0EUR by itself")
    shown(page, "money-story-card")


def is_topped_up_by_itself(page: Page, farm: Farm, wallet: str) -> None:
    """Nobody looks, and the card is charged."""
    farm.spend_down_to(2)
    reads(page, wallet, "by itself")
    reads(page, wallet, "paid - by itself")
    reads(page, f"{wallet.removesuffix('wallet/')}papers/", "20.00\xa0EUR and 4.00\xa0EUR of VAT")


def runs_dry(page: Page, farm: Farm, wallet: str) -> None:
    """Without a card nothing saves it: it falls asleep, and its page says why."""
    page.goto(wallet)
    page.get_by_role("button", name="Keep it no longer").click()
    expect(page.get_by_role("status").first).to_contain_text("The card is kept no longer")
    farm.spend_down_to(-1)
    reads(page, "/money/", "The money is used up. Nino sleeps until it is paid")
    shown(page, "money-story-dry")
    reads(page, "/agents/", "asleep")


def pays_and_comes_back(page: Page, wallet: str) -> None:
    """What it needs is paid, and it wakes without anybody's word."""
    page.goto(wallet)
    page.get_by_role("button", name="Pay in 50.00").click()
    pay(page, GOOD)
    expect(page.locator("#top-up")).to_contain_text("50.00\xa0EUR have come")
    reads(page, "/agents/", "answers")
    page.goto("/money/")
    expect(page.locator("main")).not_to_contain_text("used up")


def reads(page: Page, path: str, words: str) -> None:
    """Whoever looks again and again reads it at last."""

    def is_there() -> bool:
        page.goto(path)
        return words in page.locator("main").inner_text()

    until(is_there, PATIENCE / 1000)


def shown(page: Page, name: str) -> None:
    """A picture of what every page promises."""
    picture(page, LOOK, name)
    assert fits(page), name
