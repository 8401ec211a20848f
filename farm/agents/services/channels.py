"""What links of all chat apps share: their codes, and what a change of one means to its agent."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from farm.agents.events import note
from farm.agents.models import (
    Agent,
    AgentPhase,
    OperationKind,
    SlackLink,
    TelegramLink,
    WhatsAppLink,
)
from farm.agents.refusals import Refused
from farm.agents.services.operations import begin

CODE_LETTERS = "ACDEFGHJKLMNPQRTUVWXY34679"
CODE_LENGTH = 6


def new_code() -> str:
    """What a person sends to a bot, so that the farm learns who they are."""
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))


def lock(agent: Agent) -> Agent:
    """The agent as it is now, inside the caller's transaction."""
    return Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)


def lock_living(agent: Agent) -> Agent:
    """The same; Refused for an agent that is being deleted."""
    agent = lock(agent)
    if agent.wanted == Agent.Wanted.DELETED:
        raise Refused("", "agent_gone", _("This agent is being deleted: it reads nothing more."))
    return agent


def ask_reconfigure(agent: Agent, now: datetime) -> None:
    """Have a running agent set up again; one on its way, or going back, takes the change along."""
    if agent.wanted == Agent.Wanted.DELETED or agent.phase == AgentPhase.FAILED:
        return
    agent.generation += 1
    agent.due_at = now
    agent.save(update_fields=["generation", "due_at"])
    stays = agent.wanted == Agent.Wanted.RUNNING and agent.restore_from is None
    if agent.phase == AgentPhase.RUNNING and stays:
        note(agent, "reconfigure_asked", at=now)
        begin(agent, OperationKind.RECONFIGURE, now)


def doubt_software(agent: Agent) -> None:
    """Its machine was set back: what its links need there is looked for anew."""
    SlackLink.objects.filter(agent=agent).update(ready_on="")
    WhatsAppLink.objects.filter(agent=agent).update(ready_on="")


def take_software_along(agent: Agent, machine_uid: str) -> None:
    """Its new machine has the disk of the one before: what its links need there is on it."""
    SlackLink.objects.filter(agent=agent).exclude(ready_on="").update(ready_on=machine_uid)
    WhatsAppLink.objects.filter(agent=agent).exclude(ready_on="").update(ready_on=machine_uid)


def ring_channels(agent: Agent, now: datetime) -> None:
    """Have the links look again: their agent answers, or answers no more."""
    TelegramLink.objects.filter(agent=agent, state=TelegramLink.State.LINKED).update(due_at=now)
    SlackLink.objects.filter(agent=agent, state=SlackLink.State.LINKED).update(due_at=now)
    WhatsAppLink.objects.filter(agent=agent).update(due_at=now)
