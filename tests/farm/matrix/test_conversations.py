"""Turns through a real worker: in order, each sent once, and told when perhaps received."""

from __future__ import annotations

from tests.farm.matrix.farms import Farm, alive, wait_until
from tests.farm.matrix.verdicts import one_running

STATES = "SELECT group_concat(state, ' ') FROM (SELECT state FROM agents_message ORDER BY id) AS a"
LAST = "SELECT text FROM agents_message ORDER BY id DESC LIMIT 1"


def running(farm: Farm) -> int:
    """A farm whose agent answers, and its worker."""
    worker = farm.start_worker()
    farm.wish("ask")
    one_running(farm)
    return worker


def test_the_agent_speaks_first_in_the_blueprints_words(farm: Farm) -> None:
    running(farm)
    first = farm.ask("SELECT text FROM agents_message ORDER BY id LIMIT 1")
    assert first.startswith("Bonjour Nadia, je suis Ada. Je tourne sur ma propre machine")


def test_the_agent_works_on_its_machine(farm: Farm) -> None:
    running(farm)
    farm.wish("say", text="Write a file notes.txt saying forty-two and read it back")
    wait_until("it reports", lambda: "forty-two" in farm.ask(LAST))


def test_a_turn_that_broke_is_told_and_not_sent_again(farm: Farm) -> None:
    worker = running(farm)
    fault = {"kind": "ssh", "match": ["forward"], "signal": worker}
    farm.control.post("/faults", json=fault).raise_for_status()
    message = farm.wish("say", text="Remember this")
    wait_until("the worker was killed", lambda: not alive(worker))
    farm.restart()
    told = "SELECT state || ' ' || reason FROM agents_message WHERE id = ?"
    wait_until("it is told", lambda: farm.ask(told, message) == "unknown turn_interrupted")
    later = farm.wish("say", text="Are you well?")
    state = "SELECT state FROM agents_message WHERE id = ?"
    wait_until("the next is answered", lambda: farm.ask(state, later) == "answered")


def test_a_worker_that_is_told_to_end_ends_within_seconds(farm: Farm) -> None:
    worker = running(farm)
    farm.end_worker(worker)
    assert farm.ask("SELECT count(*) FROM agents_workerbeat WHERE worker <> 'tick'") == "1"
