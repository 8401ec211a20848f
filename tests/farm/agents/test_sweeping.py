"""A cloud that has nothing, beside rows that say otherwise: each is told, none is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from farm.agents.models import CopyPhase, DiskCopy, Server, ServerImage, ServerPhase
from farm.agents.projects import project_of
from farm.agents.sweeping import Side, look_at
from tests.farm.agents.sleepers import asleep
from tests.farm.web import scenes
from tests.sandbox.hetzner.cloud_at_work import CloudAtWork, cloud_at_work


@pytest.fixture
def cloud(tmp_path: Path, settings: Settings) -> Iterator[CloudAtWork]:
    """An empty project, which the settings open."""
    with cloud_at_work(tmp_path) as at_work:
        settings.HETZNER_ENDPOINT = at_work.endpoint
        settings.HETZNER_TOKEN = at_work.cloud.token
        yield at_work


@pytest.mark.usefixtures("cloud")
def test_rows_that_the_cloud_does_not_know_are_told(people: scenes.People) -> None:
    machine = scenes.running(scenes.agent(people.alice)).servers.get()
    copy = asleep(scenes.running(scenes.agent(people.bob)))
    image = _image()
    found = look_at(project_of("hetzner"), timezone.now())
    assert [(one.side, one.kind, one.name) for one in found] == [
        (Side.ROWS, "server", str(machine)),
        (Side.ROWS, "snapshot", str(copy)),
        (Side.ROWS, "snapshot", str(image)),
    ]
    assert {(one.removed_from, one.hourly_micros) for one in found} == {(None, 0)}
    assert Server.objects.get(pk=machine.pk).phase == ServerPhase.READY
    assert DiskCopy.objects.get().phase == CopyPhase.READY


@pytest.mark.usefixtures("cloud")
def test_what_is_on_its_way_or_gone_is_nowhere_missed(people: scenes.People) -> None:
    scenes.running(scenes.agent(people.alice))
    asleep(scenes.running(scenes.agent(people.bob)))
    Server.objects.filter(phase=ServerPhase.READY).update(phase=ServerPhase.REQUESTED)
    DiskCopy.objects.update(phase=CopyPhase.MAKING)
    assert look_at(project_of("hetzner"), timezone.now()) == []


def _image() -> ServerImage:
    now = timezone.now()
    return ServerImage.objects.create(
        project=project_of("hetzner"),
        runtime_version="1",
        node_version="2",
        state=ServerImage.State.GOOD,
        asked_at=now,
        held_until=now,
        good_at=now,
    )
