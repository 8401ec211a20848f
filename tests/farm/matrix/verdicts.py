"""What is judged when all is over, by the sandbox's inventory and invoice."""

from __future__ import annotations

from tests.farm.matrix.farms import Farm, wait_until


def answers(farm: Farm) -> None:
    """The agent answers through its gateway."""
    message = farm.wish("say", text="Are you there?")
    state = "SELECT state FROM agents_message WHERE id = ?"
    wait_until("the agent answers", lambda: farm.ask(state, message) == "answered")


def one_running(farm: Farm, *, invoiced: int = 1) -> None:
    """The cloud has one server, which is on; so many were ever to be paid for."""
    wait_until("the agent runs", lambda: farm.phase() == "running")
    servers = farm.inventory()
    assert [server["status"] for server in servers] == ["running"]
    assert farm.invoiced_servers() == invoiced
    answers(farm)


def none_left(farm: Farm) -> None:
    """The cloud has nothing of ours, and had one server."""
    wait_until("the agent is gone", lambda: farm.phase() == "deleted")
    assert farm.inventory() == []
    assert farm.invoiced_servers() == 1
