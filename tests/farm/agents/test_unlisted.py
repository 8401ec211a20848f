"""What the catalogue sells and a cloud lists no more is told, and nothing else."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from farm.agents.models import Offer
from farm.agents.selectors.unlisted import Unlisted, unlisted
from tests.farm.web import scenes


@pytest.fixture
def listed(db: None, settings: Settings) -> None:
    """Hetzner alone, with all that is on sale there."""
    settings.HETZNER_TOKEN = "token"
    settings.SCALEWAY_SECRET_KEY = ""
    scenes.prices()
    Offer.objects.exclude(provider="hetzner").delete()


def test_all_is_listed(listed: None) -> None:
    assert unlisted() == []


def test_a_place_that_is_gone_is_told(listed: None) -> None:
    Offer.objects.filter(location="hel1").delete()
    assert unlisted() == [Unlisted("Hetzner", "hel1")]


def test_a_type_that_is_unknown_is_told(listed: None) -> None:
    Offer.objects.filter(server_type="cax11").delete()
    assert unlisted() == [Unlisted("Hetzner", "cax11")]


def test_of_a_cloud_without_a_list_nothing_is_said(listed: None) -> None:
    Offer.objects.all().delete()
    assert unlisted() == []
