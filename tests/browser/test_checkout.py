"""The sandbox's hosted checkout in a real browser: declined, asked by the bank, paid, led back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import stripe
from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import SIZES
from tests.sandbox.stripe.acting import ASKS_ALWAYS, DECLINED, customer
from tests.sandbox.stripe.stripe_at_work import StripeAtWork, stripe_at_work

pytestmark = pytest.mark.browser


@pytest.fixture
def house(tmp_path: Path) -> Iterator[StripeAtWork]:
    """A payment house."""
    with stripe_at_work(tmp_path / "stripe") as started:
        yield started


def test_a_buyer_is_declined_asked_and_led_back(chromium: Browser, house: StripeAtWork) -> None:
    there = house.client()
    session = _top_up(there, f"{house.control}/clock?session={{CHECKOUT_SESSION_ID}}")
    width, height = SIZES["phone"]
    context = chromium.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.goto(str(session.url))
    _fill_in(page, DECLINED)
    expect(page.get_by_role("alert")).to_contain_text("declined")
    assert page.get_by_label("Card number").input_value() == ""
    assert page.get_by_label("Name on card").input_value() == "Nadia"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    _fill_in(page, ASKS_ALWAYS)
    expect(page.get_by_role("heading")).to_contain_text("3D Secure")
    page.get_by_role("button", name="Complete").click()
    page.wait_for_url(f"**/clock?session={session.id}")
    assert "now" in json.loads(page.inner_text("body"))
    assert there.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    context.close()


def _top_up(there: stripe.StripeClient, where: str) -> stripe.checkout.Session:
    return there.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "customer": customer(there).id,
            "success_url": where,
            "automatic_tax": {"enabled": True},
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": "eur",
                        "unit_amount": 2000,
                        "product_data": {"name": "Top-up"},
                    },
                }
            ],
        }
    )


def _fill_in(page: Page, number: str) -> None:
    page.get_by_label("Card number").fill(number)
    page.get_by_label("MM / YY").fill("12 / 40")
    page.get_by_label("CVC").fill("123")
    page.get_by_role("button", name="Pay").click()
