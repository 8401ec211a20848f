"""`farm prices`: what a cloud told its operator, written down once and told to everybody."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone
from typer.testing import CliRunner

from farm.accounts.models import User
from farm.billing.price_change_rows import PriceChange
from farm.ops import price_commands
from tests.farm.billing.scenes import offer

pytestmark = pytest.mark.django_db
DAY = f"{timezone.now() + timedelta(days=20):%Y-%m-%d}"
TOLD = ("change", "hetzner/nbg1", "cx23", DAY, "0.0090")


@pytest.fixture(autouse=True)
def olga() -> User:
    """The operator, and what the cloud sells."""
    offer("cx23", 6_400)
    return User.objects.create(email="olga@example.org", is_superuser=True)


def say(*words: str, by: str = "olga@example.org") -> tuple[int, str]:
    """Type a command: its exit code, and all that it wrote."""
    done = CliRunner().invoke(price_commands.app, list(words), env={"FARM_USER": by})
    return done.exit_code, done.output


def test_a_change_is_told_once_and_shown() -> None:
    code, said = say(*TOLD, "--monthly", "5.60")
    assert code == 0
    assert "told by mail" in said
    say(*TOLD, "--monthly", "5.70")
    (row,) = json.loads(say("list", "--json")[1])
    assert (row["server_type"], row["hourly_micros"], row["monthly_micros"]) == (
        "cx23",
        9_000,
        5_700_000,
    )
    assert row["told_at"] is None
    assert DAY in say()[1]


def test_that_of_an_address_is_another() -> None:
    say(*TOLD, "--monthly", "5.60")
    assert say(*TOLD, "--monthly", "0.60", "--address")[0] == 0
    assert PriceChange.objects.count() == 2


def test_a_stranger_tells_nobody() -> None:
    User.objects.create(email="charlie@example.org")
    code, said = say(*TOLD, "--monthly", "5.60", by="charlie@example.org")
    assert (code, PriceChange.objects.count()) == (1, 0)
    assert "not yours" in said


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("change", "hetzner/nbg1", "cx23", "soon", "1"), "write it as in 2027-01-31"),
        (("change", "hetzner/nbg1", "cx23", DAY, "much"), "write it as in 0.0091"),
        (TOLD, "exactly where this cloud has one"),
        (("change", "nbg1", "cx23", DAY, "1", "--monthly", "1"), "No cloud of this farm lists"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(words: tuple[str, ...], sentence: str) -> None:
    code, said = say(*words)
    assert code == 1
    assert sentence in " ".join(said.split())
