"""An agent put to sleep and woken at each cloud: its bill stops, and nothing of it is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import httpx
import pytest

from tests.farm.matrix.farms import Farm, Zygote, new_farm
from tests.farm.matrix.flows import CREATE, STOP, WAKE, CloudName, powered
from tests.farm.matrix.living import Life
from tests.farm.matrix.scaleway_farms import scaleway_farm
from tests.farm.matrix.strikes import Strike
from tests.pairs.own import SERVER, Rows

HOST = "SELECT host FROM agents_agent"
ON = ("running", "starting")
CALLS = (9,) if SERVER else (3, 9, 14)
"""Of those that a stop or a wake makes; `test_no_call_at_all_loses_anything` strikes each."""


@pytest.fixture(params=CloudName)
def life(
    request: pytest.FixtureRequest,
    mother: Zygote,
    control: httpx.Client,
    at_both: Rows,
    tmp_path: Path,
) -> Iterator[Life]:
    """An agent that runs there."""
    cloud = CloudName(request.param)
    new = new_farm if cloud is CloudName.HETZNER else scaleway_farm
    farm: Farm = new(mother, control, at_both, tmp_path / "farm")
    started = Life(farm, cloud)
    started.begin()
    started.go(CREATE)
    yield started
    farm.close()


@contextmanager
def never_two_on(life: Life) -> Iterator[None]:
    """Its cloud shows no two machines of it that are on, however often it is asked meanwhile."""
    over, crowds = threading.Event(), list[Sequence[str]]()

    def look() -> None:
        while not over.wait(0.02):
            states = powered(life.farm, life.cloud)
            if sum(state in ON for state in states) > 1:
                crowds.append(states)

    watching = threading.Thread(target=look)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()
    assert crowds == []


def test_a_night_asleep(life: Life) -> None:
    host = life.farm.ask(HOST)
    with never_two_on(life):
        life.go(STOP)
        assert not set(powered(life.farm, life.cloud)) & set(ON)
        life.go(WAKE)
    assert life.farm.ask(HOST) == host


def test_a_worker_that_is_killed_loses_nothing_of_a_night(life: Life) -> None:
    with never_two_on(life):
        for call in CALLS:
            assert any(_killed_at(life, call)), "nobody was killed"


@pytest.mark.matrix
def test_no_call_at_all_loses_anything(life: Life) -> None:
    with never_two_on(life):
        for call in count(1):
            found = _killed_at(life, call)
            print(life.cloud, call, *found)
            if not any(found):
                break


def _killed_at(life: Life, call: int) -> Sequence[bool]:
    """A night whose worker is killed after that call, once falling asleep and once waking."""
    strike = Strike("killed-after", call)
    return [life.go(STOP, strike), life.go(WAKE, strike)]
