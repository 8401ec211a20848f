"""Wishes about an agent's machine, as the zygote's children utter them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from django.utils import timezone

from farm.accounts.models import Door, User
from farm.agents import services
from farm.agents.models import Agent, LastUse, ProviderProject, Schedule
from farm.agents.refusals import Refused
from farm.agents.services import projects as services_of_projects

Order = Mapping[str, str]


def stop(order: Order) -> str:
    """Put the agent to sleep."""
    agent = _agent(order)
    services.stop_agent(actor=agent.owner, door=Door.CLI, agent=agent)
    return agent.uid


def wake(order: Order) -> str:
    """Wake it."""
    agent = _agent(order)
    services.wake_agent(actor=agent.owner, door=Door.CLI, agent=agent)
    return agent.uid


def resize(order: Order) -> str:
    """Have it on a machine of another size."""
    agent = _agent(order)
    services.resize_agent(actor=agent.owner, door=Door.CLI, agent=agent, plan=order["plan"])
    return agent.uid


def move(order: Order) -> str:
    """Have it somewhere else."""
    agent = _agent(order)
    services.move_agent_to(actor=agent.owner, door=Door.CLI, agent=agent, region=order["region"])
    return agent.uid


def sleep_when_idle(order: Order) -> str:
    """From now on it falls asleep when it is not used for an hour, and was not for two."""
    agent, past = _agent(order), timezone.now() - timedelta(hours=2)
    Agent.objects.filter(pk=agent.pk).update(running_since=past, created_at=past)
    agent.operations.update(started_at=past)
    agent.messages.update(at=past)
    LastUse.objects.filter(agent=agent).update(talked_at=past, console_at=past)
    Schedule.objects.update_or_create(
        agent=agent, defaults={"idle_hours": 1, "changed_at": past, "due_at": timezone.now()}
    )
    return agent.uid


def rebuild(order: Order) -> str:
    """Have it on a fresh machine, with what it has, or with what was last saved."""
    agent, from_backup = _agent(order), "from_backup" in order
    services.rebuild_agent(actor=agent.owner, door=Door.CLI, agent=agent, from_backup=from_backup)
    return agent.uid


def leave(order: Order) -> str:
    """Have no agent any more, and keep what it had."""
    agent = _agent(order)
    services.delete_agent(actor=agent.owner, door=Door.CLI, agent=agent)
    return agent.uid


def try_again(order: Order) -> str:
    """Ask for another try."""
    agent = _agent(order)
    services.retry_agent(actor=agent.owner, door=Door.CLI, agent=agent)
    return agent.uid


def greet(order: Order) -> str:
    """Queue a message; answers its number."""
    agent = _agent(order)
    message = services.send_message(
        actor=agent.owner, door=Door.CLI, agent=agent, text="Are you there?"
    )
    return str(message.pk)


def attempt(order: Order) -> str:
    """Utter a wish that may be refused: "yes", or the refusal's code."""
    try:
        MACHINE_VERBS[order["wish"]](order)
    except Refused as refused:
        return refused.code
    return "yes"


def _agent(order: Order) -> Agent:
    """The only one, or that one."""
    return Agent.objects.get(uid=order["uid"]) if "uid" in order else Agent.objects.get()


def accept_project(_order: Order) -> str:
    """The operator says that another project is meant."""
    operator = User.objects.create(email="ops@example.org", is_superuser=True)
    project = ProviderProject.objects.get()
    services_of_projects.accept_project(actor=operator, door=Door.CLI, project=project)
    return str(project)


MACHINE_VERBS: Mapping[str, Callable[[Order], str]] = {
    "attempt": attempt,
    "greet": greet,
    "leave": leave,
    "accept_project": accept_project,
    "move": move,
    "rebuild": rebuild,
    "sleep_when_idle": sleep_when_idle,
    "resize": resize,
    "stop": stop,
    "try_again": try_again,
    "wake": wake,
}
