"""What a cloud will stop selling is told once by mail, and for as long as it is so elsewhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from farm.accounts.models import User
from farm.agents.models import ProviderProject, Retirement
from farm.agents.retirements import note_retirements
from farm.agents.selectors.morning.todos import todos_at
from tests.provisioning.memory import MemoryProvider

pytestmark = pytest.mark.django_db


@pytest.fixture
def cloud() -> MemoryProvider:
    """One that sells the catalogue's own types."""
    return MemoryProvider(name="hetzner")


@pytest.fixture
def project() -> ProviderProject:
    """The farm's project there, and somebody who runs the farm."""
    User.objects.create(email="olga@example.org", is_superuser=True, language="en")
    return ProviderProject.objects.create(provider="hetzner")


def look(cloud: MemoryProvider, project: ProviderProject, *, days: int) -> None:
    """One look at a cloud that says that cx23 goes at nbg1 in so many days."""
    now = timezone.now()
    offers = [
        replace(offer, retires_at=now + timedelta(days=days))
        if (offer.server_type, offer.location) == ("cx23", "nbg1")
        else offer
        for offer in cloud.offers()
    ]
    note_retirements(project, cloud, offers, now)


def told() -> list[str]:
    """What the operator's morning says of it."""
    todos = (todo for todo in todos_at(timezone.now()) if todo.code == "retirement")
    return [str(todo.sentence) for todo in todos]


def test_the_operator_is_written_to_once_and_reads_it_each_morning(
    cloud: MemoryProvider, project: ProviderProject
) -> None:
    look(cloud, project, days=30)
    look(cloud, project, days=29)
    (letter,) = mail.outbox
    assert letter.to == ["olga@example.org"]
    assert "cx23 nbg1" in letter.body
    assert "cx23 nbg1" in told()[0]


def test_what_is_years_away_can_wait(cloud: MemoryProvider, project: ProviderProject) -> None:
    look(cloud, project, days=700)
    assert mail.outbox == []
    assert told() == []


def test_an_operating_system_in_use_is_told_of_too(
    cloud: MemoryProvider, project: ProviderProject
) -> None:
    cloud.retires["debian-12"] = timezone.now() + timedelta(days=10)
    note_retirements(project, cloud, cloud.offers(), timezone.now())
    assert "debian-12" in told()[0]


def test_what_the_cloud_takes_back_is_forgotten(
    cloud: MemoryProvider, project: ProviderProject
) -> None:
    look(cloud, project, days=30)
    note_retirements(project, cloud, cloud.offers(), timezone.now())
    assert not Retirement.objects.exists()
    assert told() == []
