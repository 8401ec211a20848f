"""What is nobody's is shown to the operator with its price, and only the operator removes it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from farm.accounts.models import Door, User
from farm.agents import selectors, services
from farm.agents.models import Orphan, ProviderProject

pytestmark = pytest.mark.django_db


def orphan(*, marked: bool, hours: int = 0) -> Orphan:
    """An address at Scaleway, seen for the first time so many hours ago."""
    now = timezone.now()
    ProviderProject.objects.get_or_create(provider="scaleway", defaults={"pointed_at": now})
    return Orphan.objects.create(
        provider="scaleway",
        kind="ipv4",
        cloud_id=f"id-{Orphan.objects.count()}",
        name="203.0.113.7",
        location="fr-par-1",
        marked=marked,
        hourly_micros=4_000,
        currency="EUR",
        first_seen_at=now - timedelta(hours=hours),
        seen_at=now,
    )


def test_each_is_shown_with_its_price_and_when_it_goes() -> None:
    ours, strange = orphan(marked=True, hours=30), orphan(marked=False)
    first, second = sorted(selectors.orphans(), key=lambda view: view.pk)
    assert (first.pk, first.hourly_micros, first.currency) == (ours.pk, 4_000, "EUR")
    # The settings have just meant this project for the first time: its day begins now.
    assert first.removed_from
    assert first.removed_from > timezone.now() + timedelta(hours=23)
    assert (second.pk, second.removed_from) == (strange.pk, None)


def test_a_stranger_removes_nothing() -> None:
    row, stranger = orphan(marked=True), User.objects.create(email="charlie@example.org")
    with pytest.raises(PermissionDenied):
        services.remove_orphans(actor=stranger, door=Door.CLI, wanted=[row.pk])
    assert Orphan.objects.filter(pk=row.pk).exists()
