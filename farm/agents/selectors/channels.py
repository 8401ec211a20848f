"""Where the links to chat apps stand."""

from __future__ import annotations

from farm.agents.models import Agent, Server, SlackLink, WhatsAppLink


def machine_of(agent: Agent) -> Server | None:
    """Where the agent lives now."""
    return agent.servers.order_by("-pk").first()


def is_ready(link: SlackLink | WhatsAppLink) -> bool:
    """Whether the machine that the agent has now holds what the link needs."""
    machine = machine_of(link.agent)
    return machine is not None and link.ready_on == machine.uid
