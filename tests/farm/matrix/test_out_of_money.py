"""At each cloud: out of money the bill stops, a payment brings all of it back, and else it ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.farm.matrix.farms import Zygote, new_farm, wait_until
from tests.farm.matrix.flows import CREATE, CloudName, State, billed, expected
from tests.farm.matrix.living import Life
from tests.farm.matrix.scaleway_farms import scaleway_farm
from tests.pairs.own import Rows

STAGE = "SELECT stage FROM billing_customer"
PLENTY = "100000000"


@pytest.fixture(params=CloudName)
def life(
    request: pytest.FixtureRequest,
    mother: Zygote,
    control: httpx.Client,
    at_both: Rows,
    tmp_path: Path,
) -> Iterator[Life]:
    """An agent that runs there, whose payer pays in advance."""
    cloud = CloudName(request.param)
    new = new_farm if cloud is CloudName.HETZNER else scaleway_farm
    started = Life(new(mother, control, at_both, tmp_path / "farm"), cloud)
    started.begin()
    started.go(CREATE)
    started.farm.wish("have_wallet", micros=PLENTY)
    yield started
    started.farm.close()


def comes_to(life: Life, state: State) -> None:
    """By what its money alone does."""
    wanted = expected(life.cloud, state)
    wait_until(
        f"it is {state}",
        lambda: life.farm.phase() == state and billed(life.farm, life.cloud) == wanted,
    )
    life.state = state


def test_it_sleeps_without_money_and_wakes_with_it(life: Life) -> None:
    farm = life.farm
    farm.wish("run_out")
    comes_to(life, State.STOPPED)
    assert farm.ask(STAGE) == "dry"
    assert "slept_for_money" in farm.codes()

    farm.wish("pay", micros=PLENTY)
    comes_to(life, State.RUNNING)
    assert farm.ask(STAGE) == "fine"
    life.judge()

    farm.wish("run_out")
    comes_to(life, State.STOPPED)
    farm.wish("be_late", days="27")
    wait_until("it was told for the last time", lambda: farm.ask(STAGE) == "last")
    farm.wish("be_late", days="3")
    comes_to(life, State.DELETED)
