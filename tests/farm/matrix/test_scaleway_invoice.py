"""Scaleway charges for compute, address and disk apart: the meter's lines are its invoice too.

The machine's own clock is moved (libfaketime), for the sandbox and for every process of the farm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from tests.farm.matrix.farms import Farm, alive, wait_until, zygote
from tests.farm.matrix.moved_clock import LIBRARIES, MovedClock
from tests.farm.matrix.scaleway_farms import billed, scaleway_farm, servers
from tests.pairs.own import rows_in
from tests.sandbox.running import RunningSandbox, sandbox

MINUTES, HOURS = 60, 3_600
PATIENCE = 240.0
PACE = {"METER_SECONDS": "1", "SWEEP_SECONDS": "2", "LEASE_SECONDS": "20"}


@pytest.fixture
def clock(tmp_path: Path) -> MovedClock:
    """A clock that nobody has moved yet."""
    clock = MovedClock(tmp_path / "ahead")
    clock.leap(0)
    return clock


@pytest.fixture
def outside(clock: MovedClock, tmp_path: Path) -> Iterator[RunningSandbox]:
    """A sandbox of its own; whatever else is started while it is there lives by its clock."""
    with clock.moving(), sandbox(tmp_path / "outside") as running:
        yield running


@pytest.fixture
def farm(outside: RunningSandbox, tmp_path: Path) -> Iterator[Farm]:
    """A farm with no cloud but Scaleway, whose meter runs every second."""
    with zygote(outside, tmp_path / "mother", **PACE) as mother:
        template, there = rows_in(tmp_path), outside.report.services.scaleway
        answer = mother.order(
            do="prepare",
            database=template.name,
            broker="",
            token="",
            log=str(tmp_path / "log"),
            scaleway_access_key=there.access_key,
            scaleway_secret_key=there.secret_key,
            scaleway_project_id=there.project,
        )
        assert answer == {"result": "ready"}, (tmp_path / "log").read_text()
        with httpx.Client(base_url=outside.control, timeout=30) as control:
            started = scaleway_farm(mother, control, template, tmp_path / "farm")
            # Celery's beat cannot sleep by a moved clock: the plain loop works on Postgres too.
            started.broker = ""
            yield started
            started.close()


@pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not installed")
def test_lines_are_scaleways_invoice_to_the_cent(
    farm: Farm, outside: RunningSandbox, clock: MovedClock
) -> None:
    endpoint, worker = outside.report.services.scaleway.endpoint, farm.start_worker()
    first = farm.wish("ask")
    _wait_for(farm, first, "running")
    _kill_after(farm, worker, "POST ", "/ips")
    second = farm.wish("ask")
    # It has its disk and its address, and is not on for the hours until a worker comes back.
    _missed(farm, clock, worker, 2 * HOURS + 17 * MINUTES)
    worker = farm.restart()
    _wait_for(farm, second, "running")
    _switch(farm, endpoint, first, "poweroff")
    wait_until("it is noted as off", lambda: _times_on(farm, first) == (1, False))
    clock.leap(5 * HOURS)
    _switch(farm, endpoint, first, "poweron")
    wait_until("it is noted as on", lambda: _times_on(farm, first) == (2, True))
    clock.leap(3 * HOURS)
    _kill_after(farm, worker, "POST ", "/action")
    farm.wish("delete", uid=second)
    # Its compute ends in one hour, its address and its disk in a later one.
    _missed(farm, clock, worker, 65 * MINUTES)
    farm.restart()
    _wait_for(farm, second, "deleted")
    farm.wish("delete", uid=first)
    _wait_for(farm, first, "deleted")
    assert billed(farm) == {}
    clock.leap(5 * MINUTES)
    wait_until("the last hours are written", lambda: not farm.ask(_UNMETERED))
    farm.wish("meter")
    invoice = _invoiced(farm)
    assert _written(farm) == invoice
    assert {kind for _, kind in invoice} == {"server", "ipv4", "volume"}


_UNMETERED = "SELECT id FROM agents_server WHERE created_at IS NOT NULL AND NOT metered"
_BY_SERVER = (
    "SELECT group_concat(row, ' ') FROM (SELECT 'farm-' || uid || '/' || kind || '='"
    " || sum(cloud_micros) || '/' || count(*) AS row FROM billing_usageline"
    " JOIN agents_server ON uid = server_uid GROUP BY uid, kind) AS a"
)
_SERVER_OF = (
    "SELECT {} FROM agents_server JOIN agents_agent ON agents_agent.id = agent_id"
    " WHERE agents_agent.uid = ?"
)

Sums = Mapping[tuple[str, str], tuple[int, int]]
"""By machine and kind: micros and hours."""


def _wait_for(farm: Farm, uid: str, phase: str) -> None:
    asked = "SELECT phase FROM agents_agent WHERE uid = ?"
    wait_until(f"it is {phase}", lambda: farm.ask(asked, uid) == phase, PATIENCE)


def _kill_after(farm: Farm, worker: int, *words: str) -> None:
    """SIGKILL that worker once the cloud has done what such a call asks for."""
    fault = {"kind": "scaleway", "match": words, "signal": -worker, "when": "after"}
    farm.control.delete("/faults").raise_for_status()
    farm.control.post("/faults", json=fault).raise_for_status()


def _missed(farm: Farm, clock: MovedClock, worker: int, seconds: int) -> None:
    """The worker is dead, and nobody takes its place for so long."""
    wait_until("the worker is killed", lambda: not alive(worker), PATIENCE)
    farm.control.delete("/faults").raise_for_status()
    clock.leap(seconds)


def _switch(farm: Farm, endpoint: str, uid: str, action: str) -> None:
    """Somebody does it in the cloud's own console."""
    name = farm.ask(_SERVER_OF.format("'farm-' || agents_server.uid"), uid)
    (server,) = (one for one in servers(farm) if one["name"] == name)
    httpx.post(
        f"{endpoint}/instance/v1/zones/{server['zone']}/servers/{server['id']}/action",
        headers={"X-Auth-Token": farm.scaleway["scaleway_secret_key"]},
        json={"action": action},
        timeout=30,
    ).raise_for_status()


def _times_on(farm: Farm, uid: str) -> tuple[int, bool]:
    """How often its machine was on so far, and whether it is, as the farm noted it."""
    lines = farm.ask(_SERVER_OF.format("spans"), uid).splitlines()
    ends = [line.split()[3] for line in lines if line.startswith("server ")]
    return len(ends), "-" in ends


def _written(farm: Farm) -> Sums:
    found = {}
    for row in farm.ask(_BY_SERVER).split():
        key, _, sums = row.partition("=")
        machine, _, kind = key.partition("/")
        micros, _, hours = sums.partition("/")
        found[machine, kind] = (int(micros), int(hours))
    return found


def _invoiced(farm: Farm) -> Sums:
    """The same from the cloud's own books."""
    micros, hours = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for line in farm.books("/scaleway/invoice")["lines"]:
        key = (str(line["server_name"]), str(line["kind"]))
        micros[key] += int(str(line["micros"]))
        hours[key] += int(str(line["hours"]))
    return {key: (micros[key], hours[key]) for key in micros}
