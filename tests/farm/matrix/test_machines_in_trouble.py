"""Machines that vanish, that nobody knows, or that are not who they say they are."""

from __future__ import annotations

import httpx

from tests.farm.matrix.farms import Farm, wait_until
from tests.farm.matrix.verdicts import answers, none_left, one_running

TROUBLE = "SELECT reason FROM agents_providerproject"


def api(farm: Farm, endpoint: str) -> httpx.Client:
    """The cloud's own API, as somebody with the project's token sees it."""
    headers = {"Authorization": f"Bearer {farm.token}"}
    return httpx.Client(base_url=endpoint, headers=headers, timeout=30)


def test_a_strange_host_key_stops_everything_with_an_alarm(farm: Farm) -> None:
    farm.start_worker()
    farm.wish("ask")
    one_running(farm)
    farm.wish("swap_key")
    farm.control.delete("/faults").raise_for_status()
    message = farm.wish("say", text="Is it still you?")
    wait_until("the agent is stopped", lambda: farm.phase() == "failed")
    assert farm.reason() == "host_key_mismatch"
    assert "host_key_mismatch" in farm.codes()
    state = "SELECT state || ' ' || reason FROM agents_message WHERE id = ?"
    wait_until("told", lambda: farm.ask(state, message) == "failed host_key_mismatch")
    assert not [call for call in farm.calls("ssh") if "connect" not in call]
    assert "CRITICAL" in (farm.folder / "log").read_text()
    farm.wish("retry")
    one_running(farm, invoiced=2)


def test_a_machine_that_somebody_deleted_is_missed(farm: Farm, hetzner: str) -> None:
    farm.start_worker()
    farm.wish("ask")
    one_running(farm)
    with api(farm, hetzner) as cloud:
        cloud.delete(f"/servers/{farm.inventory()[0]['id']}").raise_for_status()
    wait_until("it is gone", lambda: not farm.inventory())
    farm.wish("sweep")
    wait_until("it is missed", lambda: farm.phase() == "failed")
    assert farm.reason() == "server_lost"
    farm.wish("retry")
    one_running(farm, invoiced=2)
    farm.wish("delete")
    wait_until("the agent is gone", lambda: farm.phase() == "deleted")
    assert farm.inventory() == []


def test_a_machine_without_a_row_is_reported_and_left_alone(farm: Farm, hetzner: str) -> None:
    farm.start_worker()
    farm.wish("ask")
    one_running(farm)
    stray = {
        "name": "farm-nobodyknows",
        "server_type": "cx23",
        "location": "nbg1",
        "image": "debian-12",
        "labels": farm.inventory()[0]["labels"],
    }
    with api(farm, hetzner) as cloud:
        cloud.post("/servers", json=stray).raise_for_status()
    farm.wish("sweep")
    orphans = "SELECT name FROM agents_orphan WHERE kind = 'server' AND hourly_micros > 0"
    wait_until("it is reported", lambda: farm.ask(orphans) == "farm-nobodyknows")
    farm.wish("delete")
    wait_until("the agent is gone", lambda: farm.phase() == "deleted")
    assert [server["name"] for server in farm.inventory()] == ["farm-nobodyknows"]


def test_a_row_that_cannot_be_driven_does_not_stop_the_others(farm: Farm) -> None:
    farm.wish("ask")
    farm.wish("spoil")
    farm.wish("ask")
    farm.start_worker()
    phases = (
        "SELECT group_concat(phase, ' ') FROM (SELECT phase FROM agents_agent ORDER BY id) AS a"
    )
    wait_until("the other one runs", lambda: farm.ask(phases) == "placing running")


def test_a_deletion_during_a_creation_leaves_nothing(farm: Farm) -> None:
    farm.start_worker()
    farm.wish("ask")
    wait_until("it is being made", lambda: bool(farm.inventory()))
    farm.wish("delete")
    none_left(farm)


def test_a_token_of_another_project_costs_nobody_their_machine(hasty_farm: Farm) -> None:
    farm = hasty_farm
    first = farm.start_worker()
    farm.wish("ask")
    one_running(farm)
    farm.end_worker(first)
    answer = farm.control.post("/hetzner/projects", json={"name": "another", "server_limit": 5})
    token, farm.token = farm.token, answer.raise_for_status().json()["token"]
    second = farm.start_worker()
    farm.wish("sweep")
    wait_until("the operator is told", lambda: farm.ask(TROUBLE) == "cloud_other_project")
    assert farm.phase() == "running"
    answers(farm)
    farm.end_worker(second)
    farm.token = token
    farm.start_worker()
    farm.wish("sweep")
    wait_until("all is well", lambda: farm.ask(TROUBLE) == "")
    one_running(farm)
    farm.wish("delete")
    none_left(farm)


def test_another_project_that_is_meant_has_its_machines_missed(hasty_farm: Farm) -> None:
    farm = hasty_farm
    first = farm.start_worker()
    farm.wish("ask")
    one_running(farm)
    farm.end_worker(first)
    answer = farm.control.post("/hetzner/projects", json={"name": "another", "server_limit": 5})
    farm.token = answer.raise_for_status().json()["token"]
    farm.start_worker()
    farm.wish("sweep")
    wait_until("the operator is told", lambda: farm.ask(TROUBLE) == "cloud_other_project")
    farm.wish("accept_project")
    farm.wish("sweep")
    wait_until("the machine is missed", lambda: farm.phase() == "failed")
    assert farm.reason() == "server_lost"


def test_an_image_that_the_cloud_does_not_know_is_the_operators_to_mend(hasty_farm: Farm) -> None:
    farm = hasty_farm
    no = {"status": 422, "code": "invalid_input", "message": "image not found"}
    no["details"] = {"fields": [{"name": "image", "messages": ["image not found"]}]}
    fault = {"kind": "hetzner", "match": ["POST /servers"], "answer": no}
    farm.control.post("/faults", json=fault).raise_for_status()
    farm.start_worker()
    farm.wish("ask")
    wait_until("the operator is told", lambda: farm.ask(TROUBLE) == "cloud_no_image")
    assert farm.phase() == "placing"
    one_running(farm)
    assert farm.ask(TROUBLE) == ""


def test_an_order_that_is_refused_is_the_operators_to_mend(hasty_farm: Farm) -> None:
    farm = hasty_farm
    no = {"status": 422, "code": "invalid_input", "message": "this project may not have that"}
    fault = {"kind": "hetzner", "match": ["POST /servers"], "answer": no}
    farm.control.post("/faults", json=fault).raise_for_status()
    farm.start_worker()
    farm.wish("ask")
    wait_until("the operator is told", lambda: farm.ask(TROUBLE) == "cloud_refuses")
    assert farm.phase() == "placing"
    one_running(farm)
    assert farm.ask(TROUBLE) == ""
