"""Scaleway's several calls to a machine: a worker is killed at each, and clouds fall over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.farm.matrix.counting import orders_given
from tests.farm.matrix.farms import Farm, Zygote, alive, new_farm, wait_until
from tests.farm.matrix.scaleway_farms import (
    add_stray_ip,
    billed,
    new_project,
    nothing_left,
    one_whole,
    scaleway_farm,
    servers,
)
from tests.pairs.own import Rows
from tests.sandbox.running import RunningSandbox

# A few more than a create and a delete were seen to make; `test_every_call_is_struck` holds them.
CREATE_CALLS = 18
DELETE_CALLS = 14
# With more orders than these there is a call that no kill strikes.
CREATE_ORDERS, DELETE_ORDERS = 16, 6


@pytest.fixture
def farm(mother: Zygote, control: httpx.Client, at_both: Rows, tmp_path: Path) -> Iterator[Farm]:
    """A fresh farm with no cloud but Scaleway."""
    started = scaleway_farm(mother, control, at_both, tmp_path / "farm")
    yield started
    started.close()


@pytest.fixture
def hasty_farm(
    hasty: Zygote, control: httpx.Client, at_both: Rows, tmp_path: Path
) -> Iterator[Farm]:
    """The same, whose waits are over in seconds."""
    started = scaleway_farm(hasty, control, at_both, tmp_path / "farm")
    yield started
    started.close()


@pytest.fixture
def stock(control: httpx.Client) -> Iterator[httpx.Client]:
    """Whatever a test sells out is there again afterwards."""
    yield control
    sell(control, "available")


def sell(control: httpx.Client, availability: str) -> None:
    for kind in ("DEV1-M", "PLAY2-NANO"):
        wish = {"server_type": kind, "zone": "fr-par-1", "availability": availability}
        control.post("/scaleway/stock", json=wish).raise_for_status()


def kill_at(farm: Farm, pid: int, call: int, when: str) -> None:
    """SIGKILL that worker at its `call`-th call to the cloud from now."""
    fault = {"kind": "scaleway", "signal": -pid, "call": call, "when": when}
    farm.control.delete("/faults").raise_for_status()
    farm.control.post("/faults", json=fault).raise_for_status()


def go_on(farm: Farm, first: int) -> int:
    """Nobody is killed from here on; another worker takes over if the first was."""
    farm.control.delete("/faults").raise_for_status()
    return first if alive(first) else farm.restart()


@pytest.mark.parametrize("call", range(1, CREATE_CALLS + 1))
def test_a_kill_leaves_one_machine_and_at_last_nothing(farm: Farm, call: int) -> None:
    # Nothing is written between two calls of a create or a delete: to die before a call is to die
    # after the one before it, and beyond the last call is after it.
    worker = farm.start_worker()
    kill_at(farm, worker, call, "before")
    farm.wish("ask")
    wait_until("killed, or done", lambda: not alive(worker) or farm.phase() == "running")
    worker = go_on(farm, worker)
    one_whole(farm)
    if call > DELETE_CALLS:
        return
    kill_at(farm, worker, call, "after")
    farm.wish("delete")
    wait_until("killed, or done", lambda: not alive(worker) or farm.phase() == "deleted")
    go_on(farm, worker)
    nothing_left(farm)


def test_every_call_is_struck(farm: Farm) -> None:
    farm.control.delete("/faults").raise_for_status()
    farm.start_worker()
    farm.wish("ask")
    wait_until("the agent runs", lambda: farm.phase() == "running")
    created = orders_given(farm)
    farm.wish("delete")
    nothing_left(farm)
    assert created <= CREATE_ORDERS
    assert orders_given(farm) - created <= DELETE_ORDERS


def test_a_machine_that_does_not_switch_on_is_made_anew_at_the_next_look(farm: Farm) -> None:
    fault = {"name": "action-fails", "cloud": "scaleway", "call": 1, "seconds": 0}
    farm.control.delete("/faults").raise_for_status()
    farm.control.post("/faults", json=fault).raise_for_status()
    farm.start_worker()
    farm.wish("ask")
    one_whole(farm)
    assert "create_failed" in farm.codes()


def test_a_zone_without_machines_is_passed_over(farm: Farm, stock: httpx.Client) -> None:
    sell(stock, "shortage")
    farm.start_worker()
    farm.wish("ask")
    one_whole(farm)
    assert [server["zone"] for server in servers(farm)] == ["fr-par-2"]
    assert "no_capacity" in farm.codes()


def test_a_full_account_is_told_and_leaves_nothing_that_costs(hasty_farm: Farm) -> None:
    limit = {"project": hasty_farm.project, "servers": 0}
    hasty_farm.control.post("/scaleway/limits", json=limit).raise_for_status()
    hasty_farm.start_worker()
    hasty_farm.wish("ask")
    reason = "SELECT reason FROM agents_server"
    wait_until("it says so", lambda: hasty_farm.ask(reason) == "farm_full")
    assert billed(hasty_farm) == {}


def test_another_cloud_takes_over_within_the_agreed_price(
    mother: Zygote, control: httpx.Client, at_both: Rows, tmp_path: Path
) -> None:
    both = new_farm(mother, control, at_both, tmp_path / "farm")
    number, both.scaleway = new_project(control, "both")
    full = {"project": both.project, "servers": 0}
    control.post("/hetzner/limits", json=full).raise_for_status()
    both.wish("ask", region="europe")
    both.wish("agree", hourly="30000")
    both.start_worker()
    try:
        wait_until("the agent runs", lambda: both.phase() == "running")
        assert both.inventory() == []
        params = {"project": str(number)}
        there = control.get("/scaleway/inventory", params=params).json()["servers"]
        assert [server["state"] for server in there] == ["running"]
        assert "cloud_full" in both.codes()
    finally:
        both.close()


def test_what_is_nobodys_is_shown_and_removed_after_its_quarantine(
    hasty_farm: Farm, outside: RunningSandbox
) -> None:
    endpoint = outside.report.services.scaleway.endpoint
    hasty_farm.start_worker()
    hasty_farm.wish("ask")
    one_whole(hasty_farm)
    add_stray_ip(hasty_farm, endpoint, "farm-server=nobodyknows")
    add_stray_ip(hasty_farm, endpoint)
    hasty_farm.wish("sweep")
    shown = "SELECT count(*) FROM agents_orphan WHERE kind = 'ipv4' AND hourly_micros = 4000"
    wait_until("both are seen", lambda: hasty_farm.ask(shown) == "2")
    hasty_farm.wish("sweep")
    wait_until("the marked one goes", lambda: billed(hasty_farm)["ips"] == 2)
    hasty_farm.wish("sweep")
    wait_until("only the other is left", lambda: hasty_farm.ask(shown) == "1")
    one_whole_and_a_stray(hasty_farm)


def one_whole_and_a_stray(farm: Farm) -> None:
    """The agent's own machine was touched by none of it."""
    assert farm.phase() == "running"
    assert billed(farm) == {"servers": 1, "ips": 2, "volumes": 1}
