"""A worker is killed at the n-th outside call, for every n through create and delete.

Whatever it was doing, the next worker ends in one server and one agent that answers, or in none:
judged by the sandbox's inventory and invoice alone.
"""

from __future__ import annotations

import pytest

from tests.farm.matrix.counting import orders_given
from tests.farm.matrix.farms import Farm, alive, wait_until
from tests.farm.matrix.verdicts import none_left, one_running
from tests.pairs.own import SERVER

# A few more than a create and a delete were seen to make; `test_every_call_is_struck` holds them.
CREATE_CALLS = 30
DELETE_CALLS = 7
# With more orders than these there is a call that no kill strikes.
CREATE_ORDERS, DELETE_ORDERS = 10, 4
WHENS = ("before", "after")
STRIDE = 6 if SERVER else 1
DELETE_STRIDE = 3 if SERVER else 1
"""Every call is struck on SQLite; with Celery, whose workers take seconds to start, some are."""


def kill_at(farm: Farm, pid: int, call: int, when: str) -> None:
    """SIGKILL that worker, with all its processes, at its `call`-th outside call from now."""
    fault = {"signal": -pid, "call": call, "when": when}
    farm.control.post("/faults", json=fault).raise_for_status()


def go_on(farm: Farm, first: int) -> None:
    """Nobody is killed from here on; another worker takes over if the first was."""
    farm.control.delete("/faults").raise_for_status()
    if not alive(first):
        farm.restart()


@pytest.mark.parametrize("when", WHENS)
@pytest.mark.parametrize("call", range(1, CREATE_CALLS + 1, STRIDE))
def test_a_kill_during_create_ends_in_one_agent_that_answers(
    farm: Farm, call: int, when: str
) -> None:
    first = farm.start_worker()
    kill_at(farm, first, call, when)
    farm.wish("ask")
    wait_until(
        "killed, or done before that call",
        lambda: not alive(first) or farm.phase() == "running",
    )
    go_on(farm, first)
    one_running(farm)


@pytest.mark.parametrize("when", WHENS)
@pytest.mark.parametrize("call", range(1, DELETE_CALLS + 1, DELETE_STRIDE))
def test_a_kill_during_delete_ends_in_none(farm: Farm, call: int, when: str) -> None:
    first = farm.start_worker()
    farm.wish("ask")
    one_running(farm)
    kill_at(farm, first, call, when)
    farm.wish("delete")
    wait_until(
        "killed, or done before that call",
        lambda: not alive(first) or farm.phase() == "deleted",
    )
    go_on(farm, first)
    none_left(farm)


def test_every_call_is_struck(farm: Farm) -> None:
    farm.control.delete("/faults").raise_for_status()
    farm.start_worker()
    farm.wish("ask")
    wait_until("the agent runs", lambda: farm.phase() == "running")
    created = orders_given(farm)
    farm.wish("delete")
    none_left(farm)
    assert created <= CREATE_ORDERS
    assert orders_given(farm) - created <= DELETE_ORDERS
