"""A quarter of lives with faults on: lines are the clouds' invoices, wallets what was charged.

QUARTER_AGENTS, QUARTER_LEAPS and QUARTER_SEED make it the two hundred of `make test-quarter`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.farm.matrix.farms import Farm, wait_until, zygote
from tests.farm.matrix.invoices import invoiced, written
from tests.farm.matrix.moved_clock import LIBRARIES, MovedClock
from tests.farm.matrix.quarter import Quarter
from tests.farm.matrix.scaleway_farms import new_project
from tests.pairs.own import rows_in
from tests.sandbox.running import RunningSandbox, sandbox

AGENTS = int(os.environ.get("QUARTER_AGENTS", "2"))
LEAPS = int(os.environ.get("QUARTER_LEAPS", "4"))
SEED = int(os.environ.get("QUARTER_SEED", "7"))
PATIENCE = 480.0 + 20 * AGENTS
PACE = {
    "METER_SECONDS": "3",
    "SWEEP_SECONDS": "3",
    "LEASE_SECONDS": "20",
    "STRIPE_ROUND_SECONDS": "3",
}


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[tuple[RunningSandbox, MovedClock]]:
    """A sandbox of its own; whatever else is started while it is there lives by its clock."""
    clock = MovedClock(tmp_path / "ahead")
    clock.leap(0)
    with clock.moving(), sandbox(tmp_path / "outside") as running:
        yield running, clock


@pytest.fixture
def quarter(outside: tuple[RunningSandbox, MovedClock], tmp_path: Path) -> Iterator[Quarter]:
    """A farm with a project at each cloud that has room for all, and for their successors."""
    running, clock = outside
    with (
        zygote(running, tmp_path / "mother", **PACE) as mother,
        httpx.Client(base_url=running.control, timeout=60) as control,
    ):
        room = {"name": "farm", "server_limit": 3 * AGENTS + 5}
        made = control.post("/hetzner/projects", json=room)
        number, keys = new_project(control, "farm", room=3 * AGENTS + 5)
        rows, folder = rows_in(tmp_path), tmp_path / "farm"
        folder.mkdir()
        project = made.raise_for_status().json()
        farm = Farm(mother, control, folder, rows, "", project["id"], project["token"])
        farm.scaleway = keys
        assert farm.order("prepare") == {"result": "ready"}, (folder / "log").read_text()
        yield Quarter(farm, clock, number, AGENTS, SEED, PATIENCE)
        farm.close()


@pytest.mark.matrix
@pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not installed")
def test_a_quarter_of_lives_is_written_as_it_is_invoiced_and_paid(quarter: Quarter) -> None:
    farm = quarter.farm
    quarter.pass_by(LEAPS)
    for cloud, project in (("hetzner", farm.project), ("scaleway", quarter.at_scaleway)):
        lines = written(farm, cloud)
        assert lines == invoiced(farm, cloud, project)
        assert lines
    assert int(farm.ask("SELECT count(DISTINCT month) FROM billing_usageline")) >= 3
    assert quarter.struck > 0
    _wallets_are_what_was_charged(quarter)


def _wallets_are_what_was_charged(quarter: Quarter) -> None:
    """What people have left, what they paid, and what the payment house has, to the micro."""
    farm = quarter.farm
    books = farm.control.get("/stripe/books").raise_for_status().json()
    wait_until("every charge is learnt", lambda: farm.ask(HOUSE) == str(books["balance"] * CENT))
    assert farm.wish("settle") == ""
    paid, used = int(farm.ask(PAID)), int(farm.ask(USED))
    assert sum(int(farm.wish("left_in", email=one)) for one in quarter.people) == paid - used
    charged = sum(one["amount"] for one in books["charges"] if one["paid"])
    assert paid + int(farm.ask(VAT)) == charged * CENT
    assert len(books["charges"]) > len(quarter.people)
    assert used > 0


CENT = 10_000
HOUSE = "SELECT balance_micros FROM billing_ledgeraccount WHERE book = 'house'"
VAT = "SELECT -balance_micros FROM billing_ledgeraccount WHERE book = 'vat'"
PAID = (
    "SELECT sum(amount_micros) FROM billing_transfer"
    " JOIN billing_ledgeraccount AS d ON d.id = debit_id AND d.book = 'house'"
    " JOIN billing_ledgeraccount AS c ON c.id = credit_id AND c.book = 'payer'"
)
USED = (
    "SELECT (SELECT sum(micros) FROM billing_usageline)"
    " + (SELECT coalesce(sum(cost_micros), 0) FROM billing_aiday WHERE payer_uid <> '')"
)
