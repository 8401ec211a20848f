"""What a cloud does to us on its bad days, and that it always ends in one agent that answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.farm.matrix.farms import Farm, wait_until
from tests.farm.matrix.verdicts import none_left, one_running

CREATE = ["POST /servers"]
Json = dict[str, object]


def arm(farm: Farm, **fault: object) -> None:
    """Something goes wrong at the next matching call."""
    farm.control.post("/faults", json=fault).raise_for_status()


@pytest.fixture
def stock(control: httpx.Client) -> Iterator[httpx.Client]:
    """Whatever a test sells out is there again afterwards."""
    yield control
    for place in ("nbg1", "fsn1"):
        sell(control, place, available=True)


def sell(control: httpx.Client, place: str, *, available: bool) -> None:
    wish = {"server_type": "cx23", "location": place, "available": available}
    control.post("/hetzner/stock", json=wish).raise_for_status()


@pytest.mark.parametrize(
    "fault",
    [
        {"answer": {"status": 429, "code": "rate_limit_exceeded", "retry_after": 2}},
        {"answer": {"status": 500, "code": "server_error"}},
        {"answer": {"status": 500, "code": "server_error"}, "when": "after"},
        {"answer": {"status": 503, "code": "unavailable"}, "times": 2},
        {"answer": {"status": 502, "text": "<html>Bad gateway</html>"}},
        {"answer": {"status": 502, "text": "<html>Bad gateway</html>"}, "when": "after"},
        {"answer": {"status": 409, "code": "conflict"}},
        {"reset": True},
        {"reset": True, "when": "after"},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values())[:50],
)
def test_a_create_that_goes_wrong_makes_one_server(farm: Farm, fault: Json) -> None:
    arm(farm, kind="hetzner", match=CREATE, **fault)
    farm.start_worker()
    farm.wish("ask")
    one_running(farm)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_deletion_whose_answer_is_lost_ends_in_none(farm: Farm, when: str) -> None:
    farm.start_worker()
    farm.wish("ask")
    one_running(farm)
    arm(farm, kind="hetzner", match=["DELETE /servers"], reset=True, when=when)
    farm.wish("delete")
    none_left(farm)


def test_a_429_stops_everyone_until_its_time_is_over(farm: Farm) -> None:
    refusal = {"status": 429, "code": "rate_limit_exceeded", "retry_after": 3}
    arm(farm, kind="hetzner", match=CREATE, answer=refusal)
    farm.start_worker()
    farm.wish("ask")
    paused = "SELECT count(*) FROM agents_providerproject WHERE paused_until IS NOT NULL"
    wait_until("the cloud is left alone", lambda: farm.ask(paused) == "1")
    farm.wish("sweep")
    asked = len(farm.calls("hetzner"))
    reason = "SELECT reason FROM agents_server"
    assert farm.ask(reason) == "rate_limited"
    until = datetime.fromisoformat(farm.ask("SELECT paused_until FROM agents_providerproject"))
    while datetime.now(UTC) < until.replace(tzinfo=UTC):
        assert len(farm.calls("hetzner")) == asked
    one_running(farm)


def test_a_place_without_machines_is_passed_over(farm: Farm, stock: httpx.Client) -> None:
    sell(stock, "nbg1", available=False)
    farm.start_worker()
    farm.wish("ask")
    one_running(farm)
    assert farm.inventory()[0]["location"] == "fsn1"
    assert "no_capacity" in farm.codes()


def test_nothing_free_is_waited_out_and_nothing_is_counted(
    hasty_farm: Farm, stock: httpx.Client
) -> None:
    for place in ("nbg1", "fsn1"):
        sell(stock, place, available=False)
    hasty_farm.start_worker()
    hasty_farm.wish("ask")
    wait_until("it says so", lambda: hasty_farm.reason() == "sold_out")
    assert hasty_farm.invoiced_servers() == 0
    sell(stock, "nbg1", available=True)
    one_running(hasty_farm)


def test_a_full_account_waits_for_the_operator_and_lets_others_leave(hasty_farm: Farm) -> None:
    limit = {"project": hasty_farm.project, "servers": 0}
    hasty_farm.control.post("/hetzner/limits", json=limit).raise_for_status()
    hasty_farm.start_worker()
    hasty_farm.wish("ask")
    reason = "SELECT reason FROM agents_server"
    wait_until("it says so", lambda: hasty_farm.ask(reason) == "farm_full")
    trouble = "SELECT reason FROM agents_providerproject"
    assert hasty_farm.ask(trouble) == "farm_full"
    limit = {"project": hasty_farm.project, "servers": 1}
    hasty_farm.control.post("/hetzner/limits", json=limit).raise_for_status()
    one_running(hasty_farm)
    assert hasty_farm.ask(trouble) == ""
    told = (hasty_farm.folder / "log").read_text().count("needs the operator")
    assert told == 1


def test_a_token_that_is_refused_is_the_operators_to_mend(hasty_farm: Farm) -> None:
    token, hasty_farm.token = hasty_farm.token, "not-a-token"
    first = hasty_farm.start_worker()
    hasty_farm.wish("ask")
    trouble = "SELECT reason FROM agents_providerproject"
    wait_until("it says so", lambda: hasty_farm.ask(trouble) == "provider_paused")
    hasty_farm.end_worker(first)
    hasty_farm.token = token
    hasty_farm.restart()
    one_running(hasty_farm)


def test_an_order_that_fails_later_is_made_anew(farm: Farm) -> None:
    failure = {"code": "server_error", "message": "it broke"}
    arm(farm, kind="hetzner", match=CREATE, action=failure)
    farm.start_worker()
    farm.wish("ask")
    one_running(farm, invoiced=2)
    assert "create_failed" in farm.codes()


def test_a_machine_that_does_not_come_up_is_replaced(hasty_farm: Farm) -> None:
    arm(hasty_farm, kind="ssh", match=["connect"], reset=True, times=None)
    hasty_farm.start_worker()
    hasty_farm.wish("ask")
    wait_until("it is given up", lambda: "boot_timeout" in hasty_farm.codes())
    hasty_farm.control.delete("/faults").raise_for_status()
    one_running(hasty_farm, invoiced=2)


def test_machines_that_never_come_up_fail_the_agent_with_a_way_back(hasty_farm: Farm) -> None:
    arm(hasty_farm, kind="ssh", match=["connect"], reset=True, times=None)
    hasty_farm.start_worker()
    hasty_farm.wish("ask")
    wait_until("it failed", lambda: hasty_farm.phase() == "failed")
    assert hasty_farm.reason() == "machines_do_not_start"
    wait_until("nothing is left", lambda: not hasty_farm.inventory())
    hasty_farm.control.delete("/faults").raise_for_status()
    hasty_farm.wish("retry")
    one_running(hasty_farm, invoiced=4)


def test_a_machine_that_cannot_be_removed_at_once_is_counted_all_the_same(
    hasty_farm: Farm,
) -> None:
    arm(hasty_farm, kind="ssh", match=["connect"], reset=True, times=None)
    locked = {"status": 423, "code": "locked"}
    arm(hasty_farm, kind="hetzner", match=["DELETE /servers"], answer=locked, times=2)
    hasty_farm.start_worker()
    hasty_farm.wish("ask")
    wait_until("it failed", lambda: hasty_farm.phase() == "failed")
    assert hasty_farm.invoiced_servers() == 3


def test_an_order_sent_again_may_settle_anew(farm: Farm) -> None:
    refusal = {"status": 500, "code": "server_error"}
    arm(farm, kind="hetzner", match=CREATE, answer=refusal, times=3)
    farm.start_worker()
    farm.wish("ask")
    one_running(farm)
    tries = len([call for call in farm.calls("hetzner") if "POST /servers" in call])
    assert tries == 4
    sent = datetime.fromisoformat(farm.ask("SELECT create_sent_at FROM agents_server"))
    requested = datetime.fromisoformat(farm.ask("SELECT requested_at FROM agents_server"))
    assert sent - requested > timedelta(seconds=3)


def test_one_protected_machine_holds_up_nobody_else(farm: Farm) -> None:
    protected = {"status": 423, "code": "protected"}
    arm(farm, kind="hetzner", match=["DELETE /servers"], answer=protected, times=2)
    farm.start_worker()
    farm.wish("ask")
    one_running(farm)
    farm.wish("delete")
    reason = "SELECT reason FROM agents_server"
    wait_until("it says so", lambda: farm.ask(reason) == "machine_protected")
    paused = "SELECT count(*) FROM agents_providerproject WHERE paused_until IS NOT NULL"
    assert farm.ask(paused) == "0"
    none_left(farm)
    assert "lift the protection" in (farm.folder / "log").read_text()
