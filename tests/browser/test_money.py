"""The pages of money, on a phone and a desktop, in both languages, by day and by night."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import Look, browsing, fits, picture
from tests.browser.site import Site

pytestmark = pytest.mark.browser

LOOKS = [
    Look("phone", "fr"),
    Look("desktop", "en"),
    Look("phone", "en", "dark"),
    Look("desktop", "fr", "dark"),
]
PAGES = {
    "money-mine": "/money/",
    "money-account": "/accounts/{account}/money/",
    "money-wallet": "/payers/{rich}/wallet/",
    "money-papers": "/payers/{rich}/papers/",
    "money-waits": "/payers/{rich}/top-ups/{top_up}/?left=1",
    "money-limit": "/payers/{rich}/limit/",
}
UNLABELLED = """
[...document.querySelectorAll('input:not([type=hidden]), textarea, select')]
    .filter(field => !field.labels.length).map(field => field.outerHTML)
"""


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_the_pages_of_who_pays_in_advance(chromium: Browser, still: Site, look: Look) -> None:
    with browsing(chromium, still, look, "wanda") as (page, complaints):
        for name, path in PAGES.items():
            page.goto(path.format(**still.money))
            _holds(page, look, name)
        page.goto("/money/")
        page.locator(".chart a[rel=prev]").click()
        page.locator(".chart summary").click()
        expect(page.locator(".chart th[scope=row]").first).to_be_visible()
        _holds(page, look, "money-table")
        page.locator(".chart td a").first.click()
        expect(page.locator("table.lines tbody tr").first).to_be_visible()
        _holds(page, look, "money-hours")
    assert complaints == []


@pytest.mark.parametrize("look", LOOKS[:2], ids=str)
def test_the_page_of_a_wallet_that_is_dry(chromium: Browser, still: Site, look: Look) -> None:
    with browsing(chromium, still, look, "dora") as (page, complaints):
        page.goto("/money/")
        _holds(page, look, "money-dry-mine")
        page.goto("/payers/{dry}/wallet/".format(**still.money))
        _holds(page, look, "money-dry")
        page.locator("#id_amount").fill("4")
        page.locator("form[action*=top-ups] > button[type=submit]").click()
        expect(page.locator("#pay_form_error")).to_be_visible()
        _holds(page, look, "money-refused")
    assert [said for said in complaints if "422" not in said] == []


def _holds(page: Page, look: Look, name: str) -> None:
    """What every page promises: it fits, it has one heading, and every field has a label."""
    picture(page, look, name)
    assert fits(page), f"{name} is wider than {look.size}"
    assert page.locator("h1").count() == 1, name
    assert page.evaluate(UNLABELLED) == [], name
