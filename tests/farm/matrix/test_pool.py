"""Machines kept ready: made, claimed once, given up; killed at any call nothing is left over."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.farm.matrix.farms import Farm, alive, wait_until
from tests.farm.matrix.test_sigkill import go_on, kill_at
from tests.farm.matrix.verdicts import answers

WARM = (
    "SELECT count(*) FROM agents_server"
    " WHERE agent_id IS NULL AND phase = 'ready' AND warmed_at IS NOT NULL"
)
NOBODYS = "SELECT count(*) FROM agents_server WHERE agent_id IS NULL AND phase <> 'gone'"
RUNNING = "SELECT count(*) FROM agents_agent WHERE phase = 'running'"
OWN = "SELECT 'farm-' || uid FROM agents_server WHERE agent_id IS NOT NULL"
STATE = "/var/lib/openclaw/.openclaw"
FILL_CALLS, CLAIM_CALLS = 30, 12
WHENS = ("before", "after")
FILL_STRIDE, CLAIM_STRIDE = 12, 6


def warm(farm: Farm) -> int:
    """How many stand ready."""
    return int(farm.ask(WARM))


def stands_ready(farm: Farm, number: int = 1) -> None:
    """So many, warm."""
    wait_until(f"{number} stand ready", lambda: warm(farm) == number)


def names(farm: Farm) -> Sequence[str]:
    """The servers that the cloud shows."""
    return sorted(str(server["name"]) for server in farm.inventory())


@pytest.fixture
def filled(farm: Farm) -> Farm:
    """A farm with one machine that stands ready."""
    farm.start_worker()
    farm.wish("keep_ready", size="1")
    stands_ready(farm)
    return farm


def test_an_agent_claims_a_machine_and_answers_without_another_start(filled: Farm) -> None:
    (ready,) = names(filled)
    started = "systemctl show -p ActiveEnterTimestampMonotonic openclaw.service; pgrep -fc gateway"
    before = filled.wish("on_pooled", command=started)

    filled.wish("ask")

    wait_until("the agent runs", lambda: filled.phase() == "running")
    answers(filled)
    assert filled.ask(OWN) == ready
    assert "machine_claimed" in filled.codes()
    assert "taken_up" in filled.codes()
    assert "started" not in filled.codes()
    assert filled.wish("on_machine", command=started) == before
    assert filled.wish("on_machine", command=f"ls {STATE}/agents").split() == ["main"]


def test_a_machine_that_stands_ready_holds_no_secret_and_nothing_that_was_said(
    filled: Farm,
) -> None:
    assert filled.wish("on_pooled", command=f"ls {STATE}/agents 2>/dev/null; true") == ""
    keys = filled.wish("on_pooled", command="cat /etc/openclaw/keys.json")
    assert keys == '{"model_key": "nobody"}'
    assert filled.wish("on_pooled", command=f"ls {STATE}/workspace") == ""


def test_what_is_claimed_is_made_anew(filled: Farm) -> None:
    filled.wish("ask")
    wait_until("the agent runs", lambda: filled.phase() == "running")
    stands_ready(filled)
    assert len(names(filled)) == 2


def test_two_who_ask_at_once_get_one_machine_each(filled: Farm) -> None:
    filled.start_worker()
    filled.wish("ask_many", number="2")
    wait_until("both run", lambda: filled.ask(RUNNING) == "2")
    owners = "SELECT count(DISTINCT agent_id) FROM agents_server WHERE phase = 'ready'"
    assert filled.ask(owners) == "2"
    stands_ready(filled)
    assert len(names(filled)) == 3


def test_too_many_are_let_go(filled: Farm) -> None:
    filled.wish("keep_ready", size="0")
    wait_until("nothing is left", lambda: names(filled) == [])
    wait_until("every row says so", lambda: filled.ask(NOBODYS) == "0")


def test_one_of_an_older_runtime_is_replaced_once_another_stands_ready(filled: Farm) -> None:
    (old,) = names(filled)
    filled.wish("age_runtime")
    wait_until(
        "another takes its place",
        lambda: names(filled) not in ([old], []) and old not in names(filled),
    )
    stands_ready(filled)
    assert len(names(filled)) == 1


@pytest.mark.parametrize("call", range(1, FILL_CALLS + 1, FILL_STRIDE))
def test_a_kill_while_one_is_made_ready_ends_in_one(farm: Farm, call: int) -> None:
    first = farm.start_worker()
    kill_at(farm, first, call, "after")
    farm.wish("keep_ready", size="1")
    wait_until("killed, or done before that call", lambda: not alive(first) or warm(farm) == 1)
    go_on(farm, first)
    farm.wish("look_at_pools")
    stands_ready(farm)
    assert len(names(farm)) == 1
    assert farm.invoiced_servers() == 1


@pytest.mark.parametrize("when", WHENS)
@pytest.mark.parametrize("call", range(1, CLAIM_CALLS + 1, CLAIM_STRIDE))
def test_a_kill_during_a_claim_ends_in_one_agent_on_that_machine(
    farm: Farm, call: int, when: str
) -> None:
    first = farm.start_worker()
    farm.wish("keep_ready", size="1")
    stands_ready(farm)
    kill_at(farm, first, call, when)
    farm.wish("ask")
    wait_until(
        "killed, or done before that call",
        lambda: not alive(first) or farm.phase() in ("running", "failed"),
    )
    go_on(farm, first)
    wait_until("the agent runs", lambda: farm.phase() == "running")
    answers(farm)
    farm.wish("look_at_pools")
    stands_ready(farm)
    assert len(names(farm)) == 2
    assert farm.invoiced_servers() == 2
