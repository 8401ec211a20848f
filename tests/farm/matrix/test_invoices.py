"""Weeks of agents' lives in minutes: what the meter writes is what each cloud invoices.

The machine's own clock is moved (libfaketime), for the sandbox and for every process of the farm.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.farm.matrix.farms import Farm, alive, new_farm, wait_until, zygote
from tests.farm.matrix.invoices import invoiced, written
from tests.farm.matrix.moved_clock import LIBRARIES, MovedClock
from tests.farm.matrix.scaleway_farms import new_project
from tests.farm.matrix.verdicts import standing
from tests.pairs.own import rows_in
from tests.sandbox.running import RunningSandbox, sandbox

MINUTES, HOURS, DAYS = 60, 3_600, 86_400
PATIENCE = 480.0
PACE = {"METER_SECONDS": "3", "SWEEP_SECONDS": "3", "LEASE_SECONDS": "20"}


@dataclass(slots=True)
class Life:
    """A farm with a project at each cloud, all on one clock."""

    farm: Farm
    clock: MovedClock
    endpoint: str
    at_scaleway: int

    def ask(self, region: str) -> str:
        """One more agent, there."""
        return self.farm.wish("ask", region=region)

    def wish(self, what: str, *uids: str, **more: str) -> None:
        """The same wish about each of them."""
        for uid in uids:
            self.farm.wish(what, uid=uid, **more)

    def reach(self, phase: str, *uids: str) -> None:
        """Each comes to that phase, and has no wish left."""
        for uid in uids:
            try:
                wait_until(f"{uid} is {phase}", lambda: self._is(uid, phase), PATIENCE)  # noqa: B023
            except AssertionError as error:
                raise AssertionError(f"{error}; {standing(self.farm)}") from None

    def kill_after(self, worker: int, *words: str) -> None:
        """SIGKILL that worker once Scaleway has done what such a call asks for."""
        fault = {"kind": "scaleway", "match": words, "signal": -worker, "when": "after"}
        self.farm.control.delete("/faults").raise_for_status()
        self.farm.control.post("/faults", json=fault).raise_for_status()

    def missed(self, worker: int, seconds: int) -> None:
        """The worker is dead, and nobody takes its place for so long."""
        wait_until("the worker is killed", lambda: not alive(worker), PATIENCE)
        self.farm.control.delete("/faults").raise_for_status()
        self.clock.leap(seconds)

    def type_of(self, uid: str) -> str:
        """What the machine is that its cloud has of the agent now."""
        return self.farm.ask(_MACHINE.format("server_type"), uid)

    def switch(self, uid: str, action: str) -> None:
        """Somebody does it in Scaleway's own console."""
        name = self.farm.ask(_MACHINE.format("'farm-' || agents_server.uid"), uid)
        books = self.farm.control.get("/scaleway/inventory", params={"project": self.at_scaleway})
        (server,) = (one for one in books.json()["servers"] if one["name"] == name)
        httpx.post(
            f"{self.endpoint}/instance/v1/zones/{server['zone']}/servers/{server['id']}/action",
            headers={"X-Auth-Token": self.farm.scaleway["scaleway_secret_key"]},
            json={"action": action},
            timeout=30,
        ).raise_for_status()

    def times_on(self, uid: str) -> tuple[int, bool]:
        """How often its machine was on so far, and whether it is, as the farm noted it."""
        lines = self.farm.ask(_MACHINE.format("spans"), uid).splitlines()
        ends = [line.split()[3] for line in lines if line.startswith("server ")]
        return len(ends), "-" in ends

    def _is(self, uid: str, phase: str) -> bool:
        return self.farm.ask(_STANDS, uid) == f"{phase} "


_STANDS = "SELECT phase || ' ' || machine_wish FROM agents_agent WHERE uid = ?"
_MACHINE = (
    "SELECT {} FROM agents_server JOIN agents_agent ON agents_agent.id = agent_id"
    " WHERE agents_agent.uid = ? AND gone_at IS NULL"
)


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[tuple[RunningSandbox, MovedClock]]:
    """A sandbox of its own; whatever else is started while it is there lives by its clock."""
    clock = MovedClock(tmp_path / "ahead")
    clock.leap(0)
    with clock.moving(), sandbox(tmp_path / "outside") as running:
        yield running, clock


@pytest.fixture
def life(outside: tuple[RunningSandbox, MovedClock], tmp_path: Path) -> Iterator[Life]:
    """A farm at both clouds, whose meter runs every few seconds."""
    running, clock = outside
    services = running.report.services
    with zygote(running, tmp_path / "mother", **PACE) as mother:
        template = rows_in(tmp_path)
        answer = mother.order(
            do="prepare",
            database=template.name,
            broker="",
            token=services.hetzner.token,
            log=str(tmp_path / "log"),
            scaleway_access_key=services.scaleway.access_key,
            scaleway_secret_key=services.scaleway.secret_key,
            scaleway_project_id=services.scaleway.project,
        )
        assert answer == {"result": "ready"}, (tmp_path / "log").read_text()
        with httpx.Client(base_url=running.control, timeout=30) as control:
            farm = new_farm(mother, control, template, tmp_path / "farm")
            number, farm.scaleway = new_project(control, "farm")
            # Celery's beat cannot sleep by a moved clock: the plain loop works on Postgres too.
            farm.broker = ""
            yield Life(farm, clock, services.scaleway.endpoint, number)
            farm.close()


@pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not installed")
def test_lines_are_the_clouds_invoices_to_the_micro(life: Life) -> None:
    farm, clock = life.farm, life.clock
    worker = farm.start_worker()
    sleeper = _claim_one_that_stands_ready(life)
    failure = {"code": "server_error", "message": "it broke"}
    spoil = {"kind": "hetzner", "match": ["POST /servers"], "action": failure, "times": 1}
    farm.control.post("/faults", json=spoil).raise_for_status()
    grower, far_sleeper = life.ask("germany"), life.ask("france")
    life.reach("running", sleeper, grower, far_sleeper)
    assert "create_failed" in farm.codes()
    life.kill_after(worker, "POST ", "/ips")
    far_grower = life.ask("france")
    # It has its disk and its address, and is not on for the hours until a worker comes back.
    life.missed(worker, 2 * HOURS + 17 * MINUTES)
    worker = farm.restart()
    life.reach("running", far_grower)
    _sleep_and_grow(life, (sleeper, far_sleeper), (grower, far_grower))
    _switch_in_the_console(life, far_sleeper)
    life.kill_after(worker, "POST ", "/action")
    life.wish("delete", far_grower)
    # Its compute ends in one hour, its address and its disk in a later one.
    life.missed(worker, 65 * MINUTES)
    farm.restart()
    life.wish("delete", sleeper, grower, far_sleeper)
    life.reach("deleted", sleeper, grower, far_sleeper, far_grower)
    clock.leap(5 * MINUTES)
    wait_until("the last hours are written", lambda: not farm.ask(_UNMETERED))
    farm.wish("meter")
    for cloud, project in (("hetzner", farm.project), ("scaleway", life.at_scaleway)):
        assert written(farm, cloud) == invoiced(farm, cloud, project)
    assert farm.ask(_KINDS) == "ipv4 server snapshot volume"
    assert set(farm.ask(_CAUSES).split()) >= {"before", "overlap", "pool"}
    assert int(farm.ask("SELECT sum(micros) FROM billing_usageline")) > 0
    _all_books_agree(life)


def _all_books_agree(life: Life) -> None:
    """When every month is over: by times and prices, by Scaleway's API and Hetzner's invoice."""
    farm = life.farm
    life.clock.leap(40 * DAYS)
    said = farm.control.get("/invoice", params={"project": farm.project}).raise_for_status()
    path = farm.folder / "invoice.json"
    path.write_text(json.dumps({"hetzner": said.json()}))
    assert farm.wish("import_books", file=str(path)).startswith("All ")
    found = json.loads(farm.wish("reconcile"))
    assert found["differences"] == []
    assert (found["trouble"], found["clouds"]) == ([], ["hetzner", "scaleway"])
    assert found["compared"] > 5


def _claim_one_that_stands_ready(life: Life) -> str:
    """An agent on a machine that nobody had for two hours."""
    farm = life.farm
    farm.wish("keep_ready", size="1")
    wait_until("one stands ready", lambda: farm.ask(_NOBODYS.format("warmed_at")) != "", PATIENCE)
    life.clock.leap(2 * HOURS + 3 * MINUTES)
    uid = life.ask("germany")
    life.reach("running", uid)
    assert "machine_claimed" in farm.codes()
    farm.wish("keep_ready", size="0")
    wait_until("none stands ready", lambda: not farm.ask(_NOBODYS.format("uid")), PATIENCE)
    return uid


def _sleep_and_grow(life: Life, sleepers: tuple[str, str], growers: tuple[str, str]) -> None:
    """Two sleep for weeks, two become larger, and one of these then moves to the other cloud."""
    farm, types = life.farm, [life.type_of(uid) for uid in growers]
    life.wish("stop", *sleepers)
    life.wish("resize", *growers, plan="large")
    life.reach("stopped", *sleepers)
    life.reach("running", *growers)
    assert [life.type_of(uid) for uid in growers] != types
    life.clock.leap(40 * DAYS + 7 * MINUTES)
    wait_until("the month's cap is reached", lambda: bool(farm.ask(_CAPPED)), PATIENCE)
    life.wish("wake", *sleepers)
    life.wish("move", growers[0], region="france")
    life.reach("running", *sleepers, growers[0])
    # Doubled and interrupted runs write no more than one.
    farm.wish("meter")
    life.clock.leap(3 * HOURS)
    farm.wish("sweep")
    farm.wish("meter")


def _switch_in_the_console(life: Life, uid: str) -> None:
    times, _ = life.times_on(uid)
    life.switch(uid, "poweroff")
    wait_until("it is noted as off", lambda: life.times_on(uid) == (times, False))
    life.clock.leap(2 * HOURS)
    life.switch(uid, "poweron")
    wait_until("it is noted as on", lambda: life.times_on(uid) == (times + 1, True))
    life.clock.leap(90 * MINUTES)


_CAPPED = "SELECT id FROM billing_usageline WHERE capped AND micros = 0 LIMIT 1"
_NOBODYS = "SELECT {} FROM agents_server WHERE agent_id IS NULL AND phase <> 'gone' LIMIT 1"
_UNMETERED = (
    "SELECT uid FROM agents_server WHERE created_at IS NOT NULL AND NOT metered"
    " UNION SELECT uid FROM agents_diskcopy WHERE created_at IS NOT NULL AND NOT metered"
)
_CAUSES = (
    "SELECT group_concat(cause, ' ') FROM (SELECT DISTINCT cause FROM billing_usageline"
    " WHERE payer_id IS NULL) AS a"
)
_KINDS = (
    "SELECT group_concat(kind, ' ') FROM (SELECT DISTINCT kind FROM billing_usageline"
    " ORDER BY kind) AS a"
)
