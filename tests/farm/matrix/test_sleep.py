"""An agent put to sleep and woken at each cloud: its bill stops, and nothing of it is lost."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import httpx
import pytest

from tests.farm.matrix.farms import Farm, Zygote, new_farm, wait_until
from tests.farm.matrix.flows import (
    CREATE,
    DELETE,
    STOP,
    WAKE,
    CloudName,
    Flow,
    Json,
    State,
    billed,
    expected,
    powered,
)
from tests.farm.matrix.living import Life
from tests.farm.matrix.scaleway_farms import scaleway_farm
from tests.farm.matrix.strikes import Strike
from tests.farm.matrix.verdicts import standing
from tests.pairs.own import Rows

TYPE = "SELECT server_type FROM agents_server ORDER BY id DESC"
HOST = "SELECT host FROM agents_agent"
ON = ("running", "starting")


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


at_hetzner = pytest.mark.parametrize("life", [CloudName.HETZNER], indirect=True)
"""Where the machine of a sleeper is deleted, and its disk is kept as a copy."""


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


def woken_despite(life: Life, *faults: Json) -> None:
    """It wakes although all that goes wrong, and nothing but what it needs is left."""
    farm = life.farm
    farm.wish("agree", hourly="50000")
    for fault in faults:
        farm.control.post("/faults", json=fault).raise_for_status()
    WAKE.utter(farm, life.cloud)
    wanted = expected(life.cloud, State.RUNNING)

    def settled() -> bool:
        return farm.phase() == "running" and billed(farm, life.cloud) == wanted

    with never_two_on(life):
        try:
            wait_until("it is awake, and what it slept with is gone", settled)
        except AssertionError as error:
            raise AssertionError(f"{error}; {standing(farm)}") from None
    life.state = State.RUNNING
    life.judge()


def sold_out(server_type: str) -> Json:
    """No machine of that type is to be had anywhere."""
    return {"name": "sold-out", "cloud": "hetzner", "server_type": server_type, "times": None}


NO_HOST: Json = {
    "kind": "scaleway",
    "match": ["POST", "/action", "action=poweron"],
    "answer": {"status": 412, "code": "out_of_stock", "message": "resource is out of stock"},
}


def test_where_nothing_takes_what_it_slept_with_its_backup_does(life: Life) -> None:
    life.go(STOP)
    gone = [NO_HOST] if life.cloud is CloudName.SCALEWAY else map(sold_out, ("cx23", "cpx22"))
    woken_despite(life, *gone)
    assert "wake_from_backup" in life.farm.codes()
    assert life.farm.ask("SELECT count(*) FROM agents_server WHERE gone_at IS NOT NULL") != "0"


@at_hetzner
def test_a_copy_that_fails_is_made_anew_and_wakes_on_another_type(life: Life) -> None:
    failing: Json = {"code": "action_failed", "message": "no"}
    fault: Json = {"kind": "hetzner", "match": ["create_image"], "action": failing}
    farm = life.farm
    farm.control.post("/faults", json=fault).raise_for_status()
    STOP.utter(farm, life.cloud)
    wait_until("it sleeps", lambda: farm.phase() == "stopped")
    codes = farm.codes()
    assert codes.index("copy_broken") < codes.index("copy_ready") < codes.index("machine_removed")
    woken_despite(life, sold_out("cx23"))
    assert farm.ask(TYPE) == "cpx22"
    assert "wake_from_backup" not in farm.codes()


@at_hetzner
def test_a_copy_that_somebody_deleted_is_told_and_its_backup_is_the_way_back(
    life: Life, hetzner: str
) -> None:
    life.go(STOP)
    farm = life.farm
    mine = {"Authorization": f"Bearer {farm.token}"}
    image = farm.ask("SELECT cloud_id FROM agents_diskcopy")
    httpx.delete(f"{hetzner}/images/{image}", headers=mine).raise_for_status()
    farm.wish("sweep")
    wait_until("it says so", lambda: farm.reason() == "copy_lost")
    farm.wish("retry")
    wait_until("it is back", lambda: farm.phase() == "running")
    life.state = State.RUNNING
    life.judge()


FALLING = ("halting", "deleting")
RISING = ("creating", "waking")


def at_moment(life: Life, phases: Collection[str], rests: State) -> None:
    """Its machine comes to one of them; what is over too soon to be seen is passed by."""
    newest = "SELECT phase FROM agents_server ORDER BY id DESC"
    wait_until(
        f"its machine is {phases}, or the agent {rests}",
        lambda: life.farm.ask(newest) in phases or life.farm.phase() == rests,
    )


def test_the_later_word_counts(life: Life) -> None:
    with never_two_on(life):
        _cross(life, STOP, FALLING[1:] if life.cloud is CloudName.HETZNER else FALLING, WAKE)
        life.go(STOP)
        _cross(life, WAKE, RISING, STOP)
        _cross(life, WAKE, RISING, replace(DELETE, begins=State.STOPPED))


@pytest.mark.matrix
@pytest.mark.parametrize("phase", ["halting", "off", "deleting", "gone"])
def test_the_later_word_counts_while_it_falls_asleep(life: Life, phase: str) -> None:
    with never_two_on(life):
        _cross(life, STOP, [phase], WAKE)


@pytest.mark.matrix
@pytest.mark.parametrize("phase", ["requested", "creating", "booting", "waking", "ready"])
def test_the_later_word_counts_while_it_is_woken(life: Life, phase: str) -> None:
    life.go(STOP)
    with never_two_on(life):
        _cross(life, WAKE, [phase], STOP)


def _cross(life: Life, first: Flow, phases: Collection[str], second: Flow) -> None:
    """The second wish comes while the first is under way."""
    first.utter(life.farm, life.cloud)
    at_moment(life, phases, first.ends)
    life.state = second.begins
    life.go(second)


def test_a_worker_that_is_killed_loses_nothing_of_a_night(life: Life) -> None:
    host = life.farm.ask(HOST)
    with never_two_on(life):
        assert any(_killed_at(life, 7)), "nobody was killed"
    assert life.farm.ask(HOST) == host


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
