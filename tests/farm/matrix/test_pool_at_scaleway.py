"""Images and machines kept ready where an image is of one zone, and a machine several calls."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.farm.matrix.farms import Farm, Zygote, alive, wait_until
from tests.farm.matrix.scaleway_farms import billed, scaleway_farm, servers
from tests.farm.matrix.test_scaleway import kill_at
from tests.farm.matrix.verdicts import answers
from tests.pairs.own import SERVER, Rows

GOOD = "SELECT location FROM agents_serverimage WHERE state = 'good' ORDER BY location"
ROWS = "SELECT count(*) FROM agents_serverimage"
UNSWEPT = (
    "SELECT count(*) FROM agents_providerproject WHERE swept_at IS NULL AND provider = 'scaleway'"
)
WARM = "SELECT count(*) FROM agents_server WHERE agent_id IS NULL AND warmed_at IS NOT NULL"
OWN = "SELECT 'farm-' || uid FROM agents_server WHERE agent_id IS NOT NULL"
CALLS = (8, 26, 44)


@pytest.fixture
def farm(mother: Zygote, control: httpx.Client, at_both: Rows, tmp_path: Path) -> Iterator[Farm]:
    """A fresh farm with no cloud but Scaleway."""
    started = scaleway_farm(mother, control, at_both, tmp_path / "farm")
    yield started
    started.close()


def test_each_zone_has_an_image_and_machines_start_from_it(farm: Farm) -> None:
    farm.wish("build")
    assert farm.ask(GOOD) == "fr-par-1"
    assert farm.ask(ROWS) == "2"
    assert billed(farm) == {"snapshots": 2}

    farm.start_worker()
    farm.wish("keep_ready", size="1", region="france")
    wait_until("one stands ready", lambda: farm.ask(WARM) == "1")
    (ready,) = [str(server["name"]) for server in servers(farm)]
    farm.wish("ask", region="france")
    wait_until("the agent runs", lambda: farm.phase() == "running")
    answers(farm)
    assert farm.ask(OWN) == ready
    assert "taken_up" in farm.codes()
    image = "SELECT image FROM agents_serverimage WHERE location = 'fr-par-1'"
    assert farm.ask("SELECT image FROM agents_server ORDER BY id") == farm.ask(image)


@pytest.mark.skipif(bool(SERVER), reason="struck on SQLite")
@pytest.mark.parametrize("call", CALLS)
def test_what_a_dead_baker_leaves_is_removed(farm: Farm, call: int) -> None:
    baker = int(farm.order("baker")["pid"])
    farm.workers.append(baker)
    kill_at(farm, baker, call, "after")
    wait_until("killed, or done before that call", lambda: not alive(baker), 120)
    farm.control.delete("/faults").raise_for_status()
    farm.wish("abandon_builds")
    good = farm.ask("SELECT count(*) FROM agents_serverimage WHERE state = 'good'")

    farm.start_worker()

    def swept() -> str:
        farm.wish("sweep")
        wait_until("the cloud was looked through", lambda: farm.ask(UNSWEPT) == "0")
        return farm.ask(ROWS)

    wait_until("nothing else is left", lambda: swept() == good)
    assert billed(farm) == ({"snapshots": int(good)} if good != "0" else {})
