"""Postgres goes away for a moment, again and again, while an agent is made."""

from __future__ import annotations

import pytest

from tests.farm.matrix.farms import Farm, wait_until
from tests.farm.matrix.verdicts import none_left, one_running
from tests.pairs.own import SERVER

TIMES = 4


@pytest.mark.skipif(not SERVER, reason="a file does not go away: run make test-postgres")
def test_cut_connections_cost_time_and_no_machine(farm: Farm) -> None:
    farm.start_worker()
    farm.wish("ask")
    for _ in range(TIMES):
        cut_and_go_on(farm)
    one_running(farm)
    farm.rows.sever()
    farm.wish("delete")
    none_left(farm)


def cut_and_go_on(farm: Farm) -> None:
    """Cut every connection, then wait until something more has happened."""
    farm.rows.sever()
    before = len(farm.codes())
    wait_until("it goes on", lambda: len(farm.codes()) > before)
