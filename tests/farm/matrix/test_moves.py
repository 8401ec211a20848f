"""An agent that moves, grows, shrinks or gets a fresh machine at each cloud: nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.farm.matrix.farms import Farm, Zygote, new_farm, wait_until
from tests.farm.matrix.flows import ELSEWHERE, HOME, CloudName, State, billed, expected, unexplained
from tests.farm.matrix.scaleway_farms import scaleway_farm
from tests.farm.matrix.test_telegram import CODE, said, write
from tests.farm.matrix.verdicts import answers, standing
from tests.pairs.own import Rows

PLAN = "/var/lib/openclaw/.openclaw/workspace/plan.txt"
UNDER_WAY = "SELECT count(*) FROM agents_operation WHERE state = 'under_way'"
LAST = "SELECT state FROM agents_operation ORDER BY id DESC"
AGREED = "SELECT agreed_hourly_micros FROM agents_agent"


@pytest.fixture(params=CloudName)
def cloud(request: pytest.FixtureRequest) -> CloudName:
    """Each of them."""
    return CloudName(request.param)


@pytest.fixture
def awake(
    cloud: CloudName, mother: Zygote, control: httpx.Client, at_both: Rows, tmp_path: Path
) -> Iterator[Farm]:
    """A farm whose agent runs there and has written something."""
    new = new_farm if cloud is CloudName.HETZNER else scaleway_farm
    farm = new(mother, control, at_both, tmp_path / "farm")
    farm.start_worker()
    farm.wish("ask", region=HOME[cloud])
    settled(farm)
    farm.wish("on_machine", command=f"echo Sunday > {PLAN} && chown openclaw: {PLAN}")
    yield farm
    farm.close()


def settled(farm: Farm) -> None:
    """The agent runs, and nothing is under way for it."""
    try:
        wait_until(
            "the agent runs", lambda: farm.phase() == "running" and farm.ask(UNDER_WAY) == "0", 90
        )
    except AssertionError as error:
        raise AssertionError(f"{error}; {standing(farm)}") from None


def as_it_was(farm: Farm, cloud: CloudName) -> None:
    """It answers, has what it wrote, and its cloud has one machine that the farm knows."""
    answers(farm)
    assert farm.wish("on_machine", command=f"cat {PLAN}").strip() == "Sunday"
    wait_until("all else went", lambda: billed(farm, cloud) == expected(cloud, State.RUNNING))
    assert unexplained(farm, cloud) == []


def test_it_moves_with_all_it_has(awake: Farm, cloud: CloudName) -> None:
    awake.wish("move", region=ELSEWHERE[cloud])
    settled(awake)

    as_it_was(awake, cloud)
    assert awake.ask("SELECT region FROM agents_agent") == ELSEWHERE[cloud]
    assert awake.ask(LAST) == "done"


def test_one_machine_at_a_time_reads_its_bot(awake: Farm, cloud: CloudName) -> None:
    name = f"m{uuid4().hex[:16]}_bot"
    made = awake.control.post("/telegram/bots", json={"name": "Ada", "username": name})
    token = made.raise_for_status().json()["token"]
    awake.wish("link", bot_token=token)
    write(awake, token, awake.ask(CODE))
    wait_until("it says hello", lambda: bool(said(awake, token)))
    settled(awake)

    before = conflicts(awake, name)
    awake.wish("move", region=ELSEWHERE[cloud])
    settled(awake)

    write(awake, token, "encore")
    wait_until("it answers there", lambda: any("encore" in text for text in said(awake, token)))
    assert sum("encore" in text for text in said(awake, token)) == 1
    assert conflicts(awake, name) == before


def conflicts(farm: Farm, name: str) -> int:
    """How often two read that bot at once."""
    bots = farm.control.get("/telegram/bots").raise_for_status().json()["bots"]
    (found,) = [int(bot["conflicts"]) for bot in bots if bot["username"] == name]
    return found


def test_it_gets_a_fresh_machine(awake: Farm, cloud: CloudName) -> None:
    awake.wish("rebuild")
    settled(awake)

    as_it_was(awake, cloud)
    assert awake.ask("SELECT count(*) FROM agents_server") == "2"


def test_it_grows_where_it_is_and_shrinks_again(awake: Farm, cloud: CloudName) -> None:
    small = awake.ask(AGREED)
    awake.wish("resize", plan="large")
    settled(awake)
    as_it_was(awake, cloud)
    assert awake.ask("SELECT count(*) FROM agents_server") == "1"
    assert int(awake.ask(AGREED)) > int(small)
    heap = awake.wish("on_machine", command="grep -c 3072 /etc/openclaw/openclaw.env")
    assert heap.strip() == "1"

    awake.wish("resize", plan="small")
    settled(awake)
    as_it_was(awake, cloud)
    assert awake.ask(AGREED) == small, standing(awake)
