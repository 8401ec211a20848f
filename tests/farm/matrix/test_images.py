"""An image is baked, tried and only then used; whoever bakes may be killed at any call."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
import pytest

from tests.farm.matrix.farms import Farm, alive, wait_until
from tests.farm.matrix.test_sigkill import kill_at
from tests.farm.matrix.verdicts import answers
from tests.pairs.own import SERVER

GOOD = "SELECT image FROM agents_serverimage WHERE state = 'good' ORDER BY id DESC"
ROWS = "SELECT count(*) FROM agents_serverimage"
UNSWEPT = "SELECT count(*) FROM agents_providerproject WHERE swept_at IS NULL"
BUILD_CALLS = 61
STRIDE = 20 if SERVER else 10


@pytest.fixture
def cloud(farm: Farm, hetzner: str) -> Cloud:
    """The farm's own project."""
    return Cloud(hetzner, farm.token)


@dataclass(frozen=True, slots=True)
class Cloud:
    """The project as its API shows it."""

    endpoint: str
    token: str

    def snapshots(self) -> list[str]:
        """The images there."""
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.get(
            f"{self.endpoint}/images", params={"type": "snapshot"}, headers=headers, timeout=30
        )
        return [str(image["id"]) for image in answer.raise_for_status().json()["images"]]


def test_machines_start_from_it_and_older_ones_go(farm: Farm, cloud: Cloud) -> None:
    farm.wish("build")
    (first,) = cloud.snapshots()
    assert farm.ask(GOOD) == first
    assert farm.inventory() == []

    told = farm.wish("build")

    (second,) = cloud.snapshots()
    assert farm.ask(GOOD) == second != first
    assert "is gone" in told
    farm.start_worker()
    farm.wish("ask")
    wait_until("the agent runs", lambda: farm.phase() == "running")
    answers(farm)
    assert farm.ask("SELECT image FROM agents_server") == second


def swept(farm: Farm) -> str:
    """How many images have a row after one more look at all that is at the cloud."""
    farm.wish("sweep")
    wait_until("the cloud was looked through", lambda: farm.ask(UNSWEPT) == "0")
    return farm.ask(ROWS)


@pytest.mark.parametrize("call", range(1, BUILD_CALLS + 1, STRIDE))
def test_what_a_dead_baker_leaves_is_removed_and_never_used(
    farm: Farm, cloud: Cloud, call: int
) -> None:
    baker = int(farm.order("baker")["pid"])
    farm.workers.append(baker)
    kill_at(farm, baker, call, "after")
    wait_until("killed, or done before that call", lambda: not alive(baker))
    farm.control.delete("/faults").raise_for_status()
    good = farm.ask(GOOD)
    farm.wish("abandon_builds")

    farm.start_worker()
    kept = [good] if good else []
    wait_until("nothing else is left", lambda: swept(farm) == str(len(kept)))
    assert cloud.snapshots() == kept
    assert farm.inventory() == []
