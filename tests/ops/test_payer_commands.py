"""`farm billing pays|unfreeze|wallets|top-ups`: only by who runs the farm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings
from typer.testing import CliRunner

from farm.accounts.models import User
from farm.billing.customer_rows import Customer
from farm.billing.models import Payer
from farm.billing.topups import look_at
from farm.ops.billing import app
from tests.farm.billing.bill_scenes import trusted
from tests.farm.billing.topup_scenes import paid
from tests.ops.test_agents_command import Said
from tests.sandbox.stripe.stripe_at_work import (
    KEY,
    WEBHOOK_SECRET,
    StripeAtWork,
    stripe_at_work,
)

pytestmark = pytest.mark.django_db
OPERATOR, STRANGER = "op@example.org", "stranger@example.org"


@pytest.fixture(autouse=True)
def people() -> None:
    """Who runs the farm, and somebody else."""
    User.objects.create_user(username=OPERATOR, email=OPERATOR, is_superuser=True)
    User.objects.create_user(username=STRANGER, email=STRANGER)


@pytest.fixture
def house(tmp_path: Path, settings: Settings) -> Iterator[StripeAtWork]:
    """A payment house to which the settings lead."""
    with stripe_at_work(tmp_path / "stripe") as started:
        settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = KEY, WEBHOOK_SECRET
        settings.STRIPE_API_BASE = started.endpoint
        yield started


def say(*words: str, by: str = OPERATOR) -> Said:
    done = CliRunner().invoke(app, list(words), env={"FARM_USER": by, "COLUMNS": "200"})
    return Said(done.exit_code, done.stdout, done.stderr)


def test_an_operator_says_how_a_payer_pays_and_sees_what_came(house: StripeAtWork) -> None:
    payer = trusted("Studio", Payer.Kind.INTERNAL)
    assert say("pays", "studio", "wallet").code == 0
    payer.refresh_from_db()
    assert payer.kind == Payer.Kind.WALLET
    owner = payer.account.memberships.get().user
    top_up = look_at(paid(owner, payer))
    (row,) = json.loads(say("top-ups", payer.uid, "--json").out)
    assert (row["uid"], row["state"], row["refundable_cents"]) == (top_up.uid, "paid", 2400)
    (wallet,) = json.loads(say("wallets", "--json").out)
    assert (wallet["uid"], wallet["left_micros"], wallet["frozen"]) == (payer.uid, 20_000_000, "")
    assert "20.00" in say("wallets").out
    assert top_up.uid in say("top-ups").out
    refused = say("pays", payer.uid, "internal")
    assert (refused.code, "20.00" in refused.err) == (1, True)
    assert say("pays", "nobody", "wallet").code == 1


def test_an_operator_lets_a_frozen_payer_go_on(house: StripeAtWork) -> None:
    payer = trusted("Studio", Payer.Kind.INTERNAL)
    say("pays", payer.uid, "wallet")
    Customer.objects.update(frozen_at=timezone.now(), frozen_why="dispute")
    assert "frozen (dispute)" in say("wallets").out
    assert say("unfreeze", payer.uid).code == 0
    assert Customer.objects.get().frozen_at is None


@pytest.mark.parametrize(
    "words", [("pays", "Studio", "wallet"), ("unfreeze", "Studio"), ("wallets",), ("top-ups",)]
)
def test_nobody_else_may(house: StripeAtWork, words: tuple[str, ...]) -> None:
    payer = trusted("Studio", Payer.Kind.INTERNAL)
    assert say(*words, by=STRANGER).code == 1
    payer.refresh_from_db()
    assert payer.kind == Payer.Kind.INTERNAL
