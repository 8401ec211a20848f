"""What the operator's first page tells of the farm's own backups, and of drills."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from farm.accounts.models import User
from farm.agents.models import Rescue, RescueKind
from tests.farm.web import scenes
from tests.farm.web.conftest import logged_in

LATE = ("no backup of itself for a day and a half", "For nine days nobody has tried")


@pytest.fixture
def olga(people: scenes.People) -> Client:
    """The operator's browser; she founded the farm a month ago."""
    month_ago = timezone.now() - timedelta(days=30)
    User.objects.update(date_joined=month_ago)
    olga = User.objects.create(email="olga@example.org", is_superuser=True, date_joined=month_ago)
    return logged_in(olga)


def page(olga: Client) -> str:
    """What she reads."""
    return olga.get("/operator/").content.decode().replace("&#x27;", "'")


def test_on_a_farm_that_serves_people_what_nobody_did_is_to_do(
    olga: Client, settings: Settings
) -> None:
    settings.DEBUG = True
    assert not any(words in page(olga) for words in LATE)
    settings.DEBUG = False
    assert all(words in page(olga) for words in LATE)


def test_what_went_well_is_told_with_its_day(olga: Client, settings: Settings) -> None:
    settings.DEBUG = False
    now = timezone.now()
    Rescue.objects.create(kind=RescueKind.BACKUP, at=now, archive="farm.tar.gz", size=1)
    Rescue.objects.create(kind=RescueKind.DRILL, at=now - timedelta(days=8), rows=1234)
    shown = page(olga)
    assert not any(words in shown for words in LATE)
    assert f"{now:%Y-%m-%d %H:%M} UTC" in shown
    assert "1234 rows came back" in shown


def test_what_failed_last_is_told_with_its_why_and_command(olga: Client) -> None:
    now = timezone.now()
    for kind in RescueKind:
        Rescue.objects.create(kind=kind, at=now - timedelta(days=1), rows=1)
        Rescue.objects.create(kind=kind, at=now, problem="No space left on device")
    shown = page(olga)
    assert "backup of itself failed: No space left on device" in shown
    assert "restore drill failed: No space left on device" in shown
    assert "farm drill" in shown
