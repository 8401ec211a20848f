"""Agents' lives at both clouds, in which everything that can go wrong does, in every flow.

Every day each flow meets each fault once, at a call that MATRIX_SEED draws. `make test-matrix`
strikes every call of every flow by every fault at both clouds.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest

from tests.farm.matrix.farms import Zygote, new_farm, zygote
from tests.farm.matrix.flows import LIFE, CloudName, Flow, State
from tests.farm.matrix.living import Life
from tests.farm.matrix.scaleway_farms import scaleway_farm
from tests.farm.matrix.strikes import FAULTS, Strike
from tests.pairs.own import Rows
from tests.sandbox.running import RunningSandbox

PACE = {
    "CLOUD_ANSWER_SECONDS": "3",
    "BOOT_DEADLINE_SECONDS": "10",
    "CAPACITY_RETRY_SECONDS": "1",
    "SETTLE_SECONDS": "1",
    "PAUSE_SECONDS": "1",
}
SEED = os.environ.get("MATRIX_SEED", "1")
CALLS = 4
"""How many calls each flow makes at the least, so that the one that is drawn is struck."""

Begin = Callable[[CloudName], Life]


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


@pytest.mark.parametrize("lead", range(len(FAULTS)))
def test_each_flow_meets_each_fault(begin: Begin, lead: int) -> None:
    dice = random.Random(f"{SEED} {lead}")  # noqa: S311 - no secret
    cloud = list(CloudName)[(lead + int(SEED)) % 2]
    life = begin(cloud)
    for number, flow in enumerate(LIFE):
        strike = FAULTS[(lead + number) % len(FAULTS)]
        strike = strike.at(dice.randint(1, CALLS)) if strike.is_anywhere else strike
        found = life.go(flow, strike)
        print(f"MATRIX_SEED={SEED} {cloud} {flow.name} {strike} {'struck' if found else 'passed'}")


@pytest.mark.matrix
@pytest.mark.parametrize("strike", FAULTS, ids=str)
@pytest.mark.parametrize("flow", LIFE, ids=lambda flow: flow.name)
@pytest.mark.parametrize("cloud", CloudName)
def test_every_call_of_a_flow(begin: Begin, cloud: CloudName, flow: Flow, strike: Strike) -> None:
    for call in count(1):
        life = begin(cloud)
        _lead_to(life, flow.begins)
        found = life.go(flow, strike.at(call))
        life.farm.close()
        if not found:
            break


def _lead_to(life: Life, state: State) -> None:
    """By the shortest road, on which nothing goes wrong."""
    for flow in LIFE:
        if life.state is state:
            return
        life.go(flow)
