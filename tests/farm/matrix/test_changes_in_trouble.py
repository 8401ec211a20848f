"""Changes of machines that come to nothing: the agent goes on as it was, and nothing is left."""

from __future__ import annotations

import httpx
import pytest

from tests.farm.matrix.farms import Farm, wait_until
from tests.farm.matrix.test_machines_in_trouble import api
from tests.farm.matrix.test_moves import LAST, PLAN, settled
from tests.farm.matrix.verdicts import answers, one_running
from tests.sandbox.running import RunningSandbox

SPEC = (
    "SELECT plan || ' ' || region || ' ' || agreed_hourly_micros || ' ' || machine_wish"
    " FROM agents_agent"
)
MOST = "SELECT monthly_micros FROM billing_assignment ORDER BY valid_from DESC"
NEWEST_ADDRESS = "SELECT ipv4 FROM agents_server ORDER BY id DESC"


@pytest.fixture
def awake(hasty_farm: Farm) -> Farm:
    """An agent at Hetzner that runs and has written something; no wait is long."""
    hasty_farm.start_worker()
    hasty_farm.wish("ask")
    settled(hasty_farm)
    write = f"echo Sunday > {PLAN} && chown openclaw: {PLAN}"
    hasty_farm.wish("on_machine", command=write)
    hasty_farm.control.delete("/faults").raise_for_status()
    return hasty_farm


def strike(farm: Farm, name: str, **more: str | int | None) -> None:
    """From now on that goes wrong at Hetzner."""
    farm.control.post("/faults", json={"name": name, "cloud": "hetzner", **more}).raise_for_status()


def told_that_it_is_lost(outside: RunningSandbox, uid: str) -> list[str]:
    """Every mail about that, as its owner reads it."""
    page = outside.report.services.mail.page.rstrip("/")
    found = httpx.get(f"{page}/messages", params={"to": "nadia@example.org"}).json()["messages"]
    return [m["text"] for m in found if "a disparu" in m["subject"] and uid in m["text"]]


def newest(farm: Farm) -> str:
    """The cloud's id of the machine that was made last."""
    return farm.ask("SELECT provider_id FROM agents_server ORDER BY id DESC")


def as_before(farm: Farm, spec: str, most: str) -> None:
    """It answers on the machine that it had, which alone is left, at the price of before."""
    wait_until("it is told", lambda: farm.ask(LAST) == "failed")
    settled(farm)
    answers(farm)
    assert farm.wish("on_machine", command=f"cat {PLAN}").strip() == "Sunday"
    wait_until("the other one went", lambda: len(farm.inventory()) == 1)
    assert farm.ask(SPEC) == spec
    assert farm.ask(MOST) == most
    assert farm.ask("SELECT count(*) FROM agents_change") == "0"


def test_a_place_that_is_sold_out_is_waited_for_while_it_answers(awake: Farm) -> None:
    spec = awake.ask(SPEC)
    strike(awake, "sold-out", place="hel1", times=None)
    awake.wish("move", region="finland")
    wait_until("it says so", lambda: awake.reason() == "sold_out")
    answers(awake)
    assert awake.phase() == "running"

    awake.wish("move", region="germany")
    assert awake.ask(SPEC) == spec
    assert awake.ask("SELECT state FROM agents_operation WHERE kind = 'move'") == "replaced"
    awake.control.delete("/faults").raise_for_status()
    settled(awake)
    one_running(awake)


def test_a_machine_that_never_boots_takes_nobodys_place(awake: Farm) -> None:
    spec, most = awake.ask(SPEC), awake.ask(MOST)
    strike(awake, "boot-hangs", times=None)
    awake.wish("move", region="finland")

    as_before(awake, spec, most)
    assert "change_machines" in awake.codes()
    assert "gateway_ended" not in awake.codes()


def test_what_cannot_be_saved_stays_where_it_is(awake: Farm) -> None:
    spec, most = awake.ask(SPEC), awake.ask(MOST)
    awake.wish("on_machine", command="mv /usr/bin/age /usr/bin/age.away")
    awake.wish("rebuild")
    wait_until("it is to be saved", lambda: "gateway_ended" in awake.codes())
    wait_until("the backup is asked for", lambda: bool(awake.ask("SELECT uid FROM agents_backup")))
    awake.wish("hurry")

    as_before(awake, spec, most)
    assert "change_unsaved" in awake.codes()


def test_a_machine_that_is_lost_on_trial_gives_its_place_back(awake: Farm, hetzner: str) -> None:
    spec, most = awake.ask(SPEC), awake.ask(MOST)
    awake.wish("move", region="finland")
    wait_until("its own one is silent", lambda: "gateway_ended" in awake.codes())
    strike(awake, "ssh-dies", server=awake.ask(NEWEST_ADDRESS), times=None)
    wait_until("it took over", lambda: "took_over" in awake.codes())
    with api(awake, hetzner) as cloud:
        cloud.delete(f"/servers/{newest(awake)}").raise_for_status()
    wait_until("it is gone", lambda: len(awake.inventory()) == 1)
    awake.wish("sweep")

    as_before(awake, spec, most)
    assert {"change_lost", "went_back"} <= set(awake.codes())


def test_a_size_that_is_sold_out_in_the_middle_is_given_up(awake: Farm) -> None:
    spec, most = awake.ask(SPEC), awake.ask(MOST)
    no = {"status": 412, "code": "resource_unavailable", "message": "error during placement"}
    fault = {"kind": "hetzner", "match": ["change_type"], "answer": no}
    awake.control.post("/faults", json=fault).raise_for_status()
    awake.wish("resize", plan="large")

    as_before(awake, spec, most)
    assert {"resize_sold_out", "resize_failed"} <= set(awake.codes())


def test_a_lost_agent_comes_back_with_its_last_backup(
    awake: Farm, hetzner: str, outside: RunningSandbox
) -> None:
    backup = awake.wish("back_up")
    state = "SELECT state FROM agents_backup WHERE uid = ?"
    wait_until("it is kept", lambda: awake.ask(state, backup) == "kept")
    with api(awake, hetzner) as cloud:
        cloud.delete(f"/servers/{awake.inventory()[0]['id']}").raise_for_status()
    wait_until("it is gone", lambda: not awake.inventory())
    awake.wish("sweep")
    wait_until("it is missed", lambda: awake.phase() == "failed")

    uid = awake.ask("SELECT uid FROM agents_agent")
    wait_until("its owner is told", lambda: len(told_that_it_is_lost(outside, uid)) == 1)
    assert "comme il était le 20" in told_that_it_is_lost(outside, uid)[0]

    awake.wish("rebuild")
    settled(awake)
    one_running(awake, invoiced=2)
    assert awake.wish("on_machine", command=f"cat {PLAN}").strip() == "Sunday"


def test_a_rebuild_is_a_word_of_its_own_where_nothing_is_kept(awake: Farm, hetzner: str) -> None:
    with api(awake, hetzner) as cloud:
        cloud.delete(f"/servers/{awake.inventory()[0]['id']}").raise_for_status()
    awake.wish("sweep")
    wait_until("it is missed", lambda: awake.phase() == "failed")
    answer = awake.order("rebuild")
    assert "result" not in answer
    assert "backup_gone" in (awake.folder / "log").read_text()


def test_a_rebuild_from_a_backup_brings_back_what_was_saved(awake: Farm) -> None:
    backup = awake.wish("back_up")
    state = "SELECT state FROM agents_backup WHERE uid = ?"
    wait_until("it is kept", lambda: awake.ask(state, backup) == "kept")
    awake.wish("on_machine", command=f"echo spoilt > {PLAN}")

    awake.wish("rebuild", from_backup="yes")
    settled(awake)
    assert awake.wish("on_machine", command=f"cat {PLAN}").strip() == "Sunday"
    assert awake.ask("SELECT count(*) FROM agents_backup") == "1"


def test_a_deletion_in_the_middle_of_a_resize_saves_it_first(awake: Farm) -> None:
    awake.wish("resize", plan="large")
    wait_until("it is switched off", lambda: "machine_halting" in awake.codes())
    awake.wish("delete")
    wait_until("it is gone", lambda: awake.phase() == "deleted")
    assert awake.ask("SELECT state FROM agents_backup WHERE kind = 'final'") == "kept"
    assert awake.inventory() == []
