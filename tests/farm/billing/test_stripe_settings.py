"""Where a farm serves people its money is real, and what Stripe tells can be believed."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from farm.checks import check_production

LIVE = "rk_live_" + "k" * 24


def complaints(settings: Settings, *, key: str, secret: str, base: str = "") -> dict[str, str]:
    """What production says of these settings of Stripe's."""
    settings.DEBUG, settings.SITE_URL = False, "https://farm.example.org"
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = key, secret
    settings.STRIPE_API_BASE = base
    found = check_production(None)
    return {str(one.id): f"{one.msg} {one.hint}" for one in found if "STRIPE" in str(one.id)}


@pytest.mark.parametrize("key", [LIVE, "sk_live_x", ""])
def test_a_live_key_with_its_webhooks_secret_is_good(settings: Settings, key: str) -> None:
    assert complaints(settings, key=key, secret="whsec_x" if key else "") == {}


def test_play_money_an_unsigned_webhook_and_another_house_are_refused(settings: Settings) -> None:
    play = complaints(settings, key="sk_test_x", secret="whsec_x")
    assert "no live key" in play["farm.STRIPE_SECRET_KEY"]
    unsigned = complaints(settings, key=LIVE, secret="")
    wanted = "https://farm.example.org/stripe/webhook"
    assert wanted in unsigned["farm.STRIPE_WEBHOOK_SECRET"]
    for base, said in (
        ("http://127.0.0.1:9", "on this machine"),
        ("http://stripe.example.org", "not https"),
    ):
        other = complaints(settings, key=LIVE, secret="whsec_x", base=base)
        assert said in other["farm.STRIPE_API_BASE"]
