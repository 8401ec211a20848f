"""A real machine is put to sleep and woken at each cloud, and the real OpenClaw goes on there."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.lab.outside import wait_for_the_base_image
from tests.lab.story import left_of
from tests.lab.test_relay import OPERATOR, OWNER
from tests.lab.test_scaleway import ASK, CREATE_SECONDS, on_the_machine, python
from tests.ops.farms import Surroundings, free_port, running_farm, until

pytestmark = [pytest.mark.lab, pytest.mark.long]

PLACES = {"hetzner": ("germany", "/inventory"), "scaleway": ("france", "/scaleway/inventory")}
# No machine is given up because this one is slow.
PACE = {"BOOT_DEADLINE_SECONDS": "1800", "CONFIGURE_DEADLINE_SECONDS": "1800"}
PLAN = "/var/lib/openclaw/.openclaw/workspace/plan.txt"
WRITE = f"echo Sunday > {PLAN} && chown openclaw: {PLAN}"
WHO = "hostname; cut -d' ' -f1,2 /etc/ssh/*_key.pub"
FAILED_UNITS = "systemctl --failed --plain --no-legend"


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Surroundings]:
    """A farm with real guests; afterwards nothing of them is left."""
    around = Surroundings(tmp_path, free_port(), free_port(), guests="real", extra=PACE)
    with running_farm(around) as running:
        assert running.said["guests"] == "real", running.said["why"]
        wait_for_the_base_image(around.outside["SANDBOX_CONTROL_URL"])
        yield around
    until(lambda: left_of(tmp_path) == [])
    assert around.processes() == []


@pytest.mark.parametrize("cloud", PLACES)
def test_a_real_agent_sleeps_and_wakes(farm: Surroundings, cloud: str) -> None:
    region, books = PLACES[cloud]
    python(farm, OPERATOR)
    _agents(farm, "create", "Ada", "--region", region, "--json")
    on_the_machine(farm, WRITE)
    before = on_the_machine(farm, WHO)
    _agents(farm, "stop", "Ada", "--json")
    servers = _books(farm, books)["servers"]
    assert [server.get("state") for server in servers] == ["stopped"] * len(servers)
    assert bool(servers) == (cloud == "scaleway")
    _agents(farm, "wake", "Ada", "--yes", "--json")
    assert on_the_machine(farm, f"cat {PLAN}").strip() == "Sunday"
    assert on_the_machine(farm, FAILED_UNITS).strip() == ""
    # A machine from a copy is another one: it has a name and a host key of its own.
    assert (on_the_machine(farm, WHO) == before) == (cloud == "scaleway")
    until(lambda: "42" in python(farm, ASK), CREATE_SECONDS)
    _agents(farm, "delete", "Ada", "--yes")
    left = {kind: found for kind, found in _books(farm, books).items() if found}
    assert not left.keys() & {"servers", "snapshots", "ips", "primary_ips", "volumes"}


def _agents(farm: Surroundings, verb: str, *words: str) -> None:
    began = time.monotonic()
    done = farm.farm("agents", verb, *words, "--as", OWNER, timeout=CREATE_SECONDS)
    assert done.returncode == 0, done.stderr
    print(f"\n  {time.monotonic() - began:7.1f} s  {verb}", flush=True)


def _books(farm: Surroundings, path: str) -> dict[str, list[dict[str, str]]]:
    control = farm.outside["SANDBOX_CONTROL_URL"].rstrip("/")
    books: dict[str, list[dict[str, str]]] = json.loads(httpx.get(f"{control}{path}").text)
    return books
