"""`farm pool` and `farm images`: what is kept ready, what machines start from, what both cost."""

from __future__ import annotations

import json

import pytest
import typer
from django.utils import timezone
from typer.testing import CliRunner

from farm.accounts.models import User
from farm.agents.models import Pool, ServerImage
from farm.agents.projects import project_of
from farm.catalog import catalog
from farm.ops import images, pool_commands
from tests.farm.web import scenes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def olga() -> User:
    """The operator, and a cloud with prices."""
    scenes.prices()
    return User.objects.create(email="olga@example.org", is_superuser=True)


def say(app: typer.Typer, *words: str, by: str = "olga@example.org") -> tuple[int, str]:
    """Type a command: its exit code, and all that it wrote."""
    done = CliRunner().invoke(app, list(words), env={"FARM_USER": by})
    return done.exit_code, done.output


def test_a_number_is_shown_with_what_it_costs() -> None:
    code, said = say(pool_commands.app, "set", "small", "germany", "2", "--hours", "8-19")
    assert code == 0
    assert "2 always 8-19 h UTC" in said
    assert "EUR" in said
    (pool,) = json.loads(say(pool_commands.app, "list", "--json")[1])
    assert (pool["size"], pool["ready"], pool["claimed"]) == (2, 0, 0)
    assert pool["each_hourly_micros"] == 7_900
    assert pool["monthly_micros"] > 0


def test_without_any_it_says_how_to_keep_one() -> None:
    assert "farm pool set" in say(pool_commands.app)[1]


def test_a_stranger_keeps_nothing_ready() -> None:
    User.objects.create(email="charlie@example.org")
    code, said = say(pool_commands.app, "set", "small", "germany", "1", by="charlie@example.org")
    assert (code, Pool.objects.count()) == (1, 0)
    assert "not yours" in said


def test_what_is_wrong_is_told_at_its_option() -> None:
    code, said = say(pool_commands.app, "set", "small", "germany", "1", "--days", "someday")
    assert code == 1
    assert "--days: Write days as in mon-fri" in said


def test_images_are_listed_with_place_age_size_and_price() -> None:
    assert "farm images build" in say(images.app)[1]
    now = timezone.now()
    ServerImage.objects.create(
        project=project_of("hetzner"),
        runtime_version=catalog().runtime_version,
        node_version=catalog().node_version,
        state=ServerImage.State.GOOD,
        asked_at=now,
        held_until=now,
        good_at=now,
        image="7",
        gigabytes=2.4,
        monthly_micros=34_000,
        currency="EUR",
    )
    said = say(images.app, "list")[1]
    for words in ("hetzner", "everywhere", catalog().runtime_version, "2.4 GB", "0.03 EUR"):
        assert words in said


def test_a_region_that_is_not_sold_is_refused_before_anything_is_bought() -> None:
    code, said = say(images.app, "build", "--region", "moon")
    assert code == 1
    assert "no region moon" in said
    assert not ServerImage.objects.exists()
