"""What is judged when all is over, by the sandbox's inventory and invoice."""

from __future__ import annotations

from tests.farm.matrix.farms import Farm, wait_until

STANDING = (
    "SELECT phase FROM agents_agent",
    "SELECT reason FROM agents_agent",
    "SELECT due_at FROM agents_agent",
    "SELECT lease_until FROM agents_agent",
    "SELECT phase FROM agents_server ORDER BY id DESC",
    "SELECT reason FROM agents_server ORDER BY id DESC",
    "SELECT due_at FROM agents_server ORDER BY id DESC",
    "SELECT lease_until FROM agents_server ORDER BY id DESC",
    "SELECT max(at) FROM agents_workerbeat",
    "SELECT at FROM agents_workerbeat WHERE worker = 'tick'",
)


def answers(farm: Farm) -> None:
    """The agent answers through its gateway."""
    message = farm.wish("say", text="Are you there?")
    state = "SELECT state FROM agents_message WHERE id = ?"
    wait_until("the agent answers", lambda: farm.ask(state, message) == "answered")


def standing(farm: Farm) -> str:
    """Where everything stands that the agent may be waiting for."""
    now = f"now {farm.ask('SELECT CURRENT_TIMESTAMP')}"
    return ", ".join((now, *farm.codes(), *(farm.ask(question) for question in STANDING)))


def one_running(farm: Farm, *, invoiced: int = 1) -> None:
    """The cloud has one server, which is on; so many were ever to be paid for."""
    try:
        wait_until("the agent runs", lambda: farm.phase() == "running")
    except AssertionError as error:
        raise AssertionError(f"{error}; {standing(farm)}") from None
    servers = farm.inventory()
    assert [server["status"] for server in servers] == ["running"]
    assert farm.invoiced_servers() == invoiced
    answers(farm)


def none_left(farm: Farm) -> None:
    """The cloud has nothing of ours, and had one server."""
    wait_until("the agent is gone", lambda: farm.phase() == "deleted")
    assert farm.inventory() == []
    assert farm.invoiced_servers() == 1
