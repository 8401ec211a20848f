"""Weeks of agents' lives in seconds: what the meter writes is what the cloud invoices.

The machine's own clock is moved (libfaketime), for the sandbox and for every process of the farm.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from tests.farm.matrix.farms import Farm, alive, new_farm, wait_until, zygote
from tests.farm.matrix.moved_clock import LIBRARIES, MovedClock
from tests.pairs.own import rows_in
from tests.sandbox.running import sandbox

MINUTES, HOURS, DAYS = 60, 3_600, 86_400
PATIENCE = 240.0
KINDS = {"server": "server", "primary_ip": "ipv4"}


@pytest.fixture
def clock(tmp_path: Path) -> MovedClock:
    """A clock that nobody has moved yet."""
    clock = MovedClock(tmp_path / "ahead")
    clock.leap(0)
    return clock


@pytest.fixture
def farm(clock: MovedClock, tmp_path: Path) -> Iterator[Farm]:
    """A farm with a sandbox of its own, whose meter runs every second."""
    with clock.moving(), sandbox(tmp_path / "outside") as outside:
        patience = {"METER_SECONDS": "1", "SWEEP_SECONDS": "2", "LEASE_SECONDS": "20"}
        with zygote(outside, tmp_path / "mother", **patience) as mother:
            template = rows_in(tmp_path)
            token = outside.report.services.hetzner.token
            order = {"do": "prepare", "database": template.name, "broker": "", "token": token}
            mother.order(**order, log=str(tmp_path / "log"))
            with httpx.Client(base_url=outside.control, timeout=30) as control:
                started = new_farm(mother, control, template, tmp_path / "farm")
                # Celery's beat cannot sleep by a moved clock: the plain loop works on Postgres too.
                started.broker = ""
                yield started
                started.close()


@pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not installed")
def test_lines_are_the_clouds_invoice_to_the_cent(farm: Farm, clock: MovedClock) -> None:
    worker = farm.start_worker()
    failure = {"code": "server_error", "message": "it broke"}
    spoil = {"kind": "hetzner", "match": ["POST /servers"], "action": failure, "times": 1}
    farm.control.post("/faults", json=spoil).raise_for_status()
    first, second = (_running_agent(farm) for _ in range(2))
    assert "create_failed" in farm.codes()
    clock.leap(2 * HOURS + 17 * MINUTES)
    wait_until("two hours are written for each", lambda: _lines(farm) >= 2 + 2 * 2 * 2)
    os.kill(worker, signal.SIGKILL)
    wait_until("the worker is gone", lambda: not alive(worker))
    clock.leap(3 * HOURS)
    farm.wish("sweep")
    farm.restart()
    farm.wish("meter")
    farm.wish("meter")
    _delete(farm, second)
    clock.leap(40 * DAYS)
    wait_until("the month's cap is reached", lambda: bool(farm.ask(_CAPPED)))
    _delete(farm, first)
    clock.leap(5 * MINUTES)
    wait_until("the last hours are written", lambda: not farm.ask(_UNMETERED))
    farm.wish("meter")
    assert _written(farm) == _invoiced(farm)
    assert farm.ask(_CAUSES) == "before"
    assert int(farm.ask("SELECT sum(micros) FROM billing_usageline")) > 0


_CAPPED = "SELECT id FROM billing_usageline WHERE capped AND micros = 0 LIMIT 1"
_UNMETERED = "SELECT id FROM agents_server WHERE created_at IS NOT NULL AND NOT metered"
_CAUSES = "SELECT max(cause) FROM billing_usageline WHERE payer_id IS NULL"
_BY_SERVER = (
    "SELECT group_concat(row, ' ') FROM (SELECT provider_id || '/' || kind || '='"
    " || sum(cloud_micros) AS row FROM billing_usageline"
    " JOIN agents_server ON uid = server_uid GROUP BY provider_id, kind) AS a"
)


def _running_agent(farm: Farm) -> str:
    uid = farm.wish("ask")
    phase = "SELECT phase FROM agents_agent WHERE uid = ?"
    wait_until("it runs", lambda: farm.ask(phase, uid) == "running", PATIENCE)
    return uid


def _delete(farm: Farm, uid: str) -> None:
    farm.wish("delete", uid=uid)
    phase = "SELECT phase FROM agents_agent WHERE uid = ?"
    wait_until("it is gone", lambda: farm.ask(phase, uid) == "deleted", PATIENCE)


def _lines(farm: Farm) -> int:
    return int(farm.ask("SELECT count(*) FROM billing_usageline"))


def _written(farm: Farm) -> Mapping[str, int]:
    """Micros by the cloud's server and kind, from the farm's lines."""
    pairs = (row.split("=") for row in farm.ask(_BY_SERVER).split())
    return {name: int(micros) for name, micros in pairs}


def _invoiced(farm: Farm) -> Mapping[str, int]:
    """The same from the cloud's own books."""
    answer = farm.control.get("/invoice", params={"project": farm.project})
    sums: Counter[str] = Counter()
    for line in answer.json()["lines"]:
        if line["kind"] in KINDS:
            sums[f"{line['server']}/{KINDS[line['kind']]}"] += line["micros"]
    return {name: micros for name, micros in sums.items() if micros}
