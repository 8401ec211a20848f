"""One sandbox and one zygote for each process of the test run; a fresh farm for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.farm.matrix.farms import Farm, Zygote, new_farm, zygote
from tests.farm.matrix.flows import CloudName
from tests.farm.matrix.living import PACE, Begin, Life
from tests.farm.matrix.scaleway_farms import scaleway_farm
from tests.pairs.own import Rows, rows_in
from tests.sandbox.running import RunningSandbox, sandbox


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """The outside world."""
    with sandbox(tmp_path_factory.mktemp("outside") / "state") as running:
        yield running


@pytest.fixture(scope="session")
def mother(outside: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """What workers are forked from, with the usual waits."""
    with zygote(outside, tmp_path_factory.mktemp("mother")) as started:
        yield started


@pytest.fixture(scope="session")
def hasty(outside: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """The same with deadlines of a few seconds, for tests that wait until one is over."""
    folder = tmp_path_factory.mktemp("hasty")
    with zygote(
        outside,
        folder,
        BOOT_DEADLINE_SECONDS="4",
        CAPACITY_RETRY_SECONDS="2",
        SETTLE_SECONDS="2",
        PAUSE_SECONDS="2",
        ORPHAN_HOURS="0",
    ) as started:
        yield started


@pytest.fixture(scope="session")
def template(
    outside: RunningSandbox, mother: Zygote, tmp_path_factory: pytest.TempPathFactory
) -> Rows:
    """The rows of a farm with one member and the cloud's prices."""
    folder = tmp_path_factory.mktemp("template")
    rows = rows_in(folder)
    answer = mother.order(
        do="prepare",
        database=rows.name,
        broker="",
        token=outside.report.services.hetzner.token,
        log=str(folder / "log"),
    )
    assert answer == {"result": "ready"}, (folder / "log").read_text()
    return rows


@pytest.fixture(scope="session")
def at_both(
    outside: RunningSandbox, mother: Zygote, tmp_path_factory: pytest.TempPathFactory
) -> Rows:
    """The rows of a farm with one member and the prices of both clouds."""
    folder = tmp_path_factory.mktemp("at-both")
    rows, services = rows_in(folder), outside.report.services
    answer = mother.order(
        do="prepare",
        database=rows.name,
        broker="",
        token=services.hetzner.token,
        log=str(folder / "log"),
        scaleway_access_key=services.scaleway.access_key,
        scaleway_secret_key=services.scaleway.secret_key,
        scaleway_project_id=services.scaleway.project,
    )
    assert answer == {"result": "ready"}, (folder / "log").read_text()
    return rows


@pytest.fixture
def hetzner(outside: RunningSandbox) -> str:
    """The base address of the cloud's API."""
    return outside.report.services.hetzner.endpoint


@pytest.fixture
def control(outside: RunningSandbox) -> Iterator[httpx.Client]:
    """The control endpoint; faults and scripts of a test end with it."""
    with httpx.Client(base_url=outside.control, timeout=30) as client:
        client.delete("/faults")
        yield client
        client.delete("/faults")


@pytest.fixture
def farm(mother: Zygote, control: httpx.Client, template: Rows, tmp_path: Path) -> Iterator[Farm]:
    """A fresh farm with the usual waits."""
    started = new_farm(mother, control, template, tmp_path / "farm")
    yield started
    started.close()


@pytest.fixture
def hasty_farm(
    hasty: Zygote, control: httpx.Client, template: Rows, tmp_path: Path
) -> Iterator[Farm]:
    """A fresh farm whose deadlines are over in seconds."""
    started = new_farm(hasty, control, template, tmp_path / "farm")
    yield started
    started.close()


@pytest.fixture(scope="session")
def pressed(outside: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """Workers whose every wait is short."""
    with zygote(outside, tmp_path_factory.mktemp("pressed"), **PACE) as started:
        yield started


@pytest.fixture
def begin(pressed: Zygote, control: httpx.Client, at_both: Rows, tmp_path: Path) -> Iterator[Begin]:
    """Begins a life at a cloud: a worker, and an agent that nobody has wished for yet."""
    lives: list[Life] = []

    def begun(cloud: CloudName) -> Life:
        new = new_farm if cloud is CloudName.HETZNER else scaleway_farm
        life = Life(new(pressed, control, at_both, tmp_path / f"farm{len(lives)}"), cloud)
        lives.append(life)
        life.begin()
        return life

    yield begun
    for life in lives:
        life.farm.close()
