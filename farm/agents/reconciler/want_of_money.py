"""What want of money does to agents, by the services of people's wishes, as often as it comes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from farm.accounts.models import Door
from farm.agents.events import note
from farm.agents.models import Agent, AgentPhase, Change
from farm.agents.refusals import Refused
from farm.agents.saving import waits_for_word
from farm.agents.services.agents import delete_agent
from farm.agents.services.changes import take_back_change
from farm.agents.services.sleep import stop_agent, wake_agent
from farm.billing.holds import live_holds, note_slept
from farm.billing.models import Payer


def put_to_sleep(agents: Sequence[Agent], now: datetime) -> bool:
    """Every agent that is awake; False while one is on its way, and has to be tried again.

    One that failed is left as it is: nothing of it can be put to sleep.
    """
    awake = [agent for agent in agents if agent.wanted == Agent.Wanted.RUNNING]
    tried = [_sleep(agent, now) for agent in awake if agent.phase != AgentPhase.FAILED]
    return all(tried)


def wake(payer: Payer, now: datetime) -> bool:
    """Every agent that the farm put to sleep; False while one cannot be woken yet."""
    slept = live_holds(payer).filter(slept_at__isnull=False).values("agent_uid")
    tried = [_wake(agent, now) for agent in Agent.objects.filter(uid__in=slept).order_by("pk")]
    return all(tried)


def delete_all(agents: Sequence[Agent]) -> None:
    """Each with what a deletion keeps; nobody waits any more for what cannot be saved."""
    for agent in agents:
        if agent.wanted != Agent.Wanted.DELETED:
            delete_agent(actor=None, door=Door.FARM, agent=agent)
        elif waits_for_word(agent, timezone.now()):
            delete_agent(actor=None, door=Door.FARM, agent=agent, without_backup=True)


def _sleep(agent: Agent, now: datetime) -> bool:
    try:
        with transaction.atomic():
            stop_agent(actor=None, door=Door.FARM, agent=agent)
            note_slept(agent.uid, now)
            note(agent, "slept_for_money", at=now)
    except Refused:
        _give_up_waiting(agent)
        return False
    return True


def _give_up_waiting(agent: Agent) -> None:
    """A move that waits for a free place would keep it awake for days."""
    try:
        if Change.objects.filter(agent=agent).exists():
            take_back_change(actor=None, door=Door.FARM, agent=agent)
    except Refused:
        # It is being done this moment, and over soon.
        return


def _wake(agent: Agent, now: datetime) -> bool:
    if agent.wanted != Agent.Wanted.STOPPED or agent.phase == AgentPhase.FAILED:
        note_slept(agent.uid, None)
        return True
    try:
        with transaction.atomic():
            wake_agent(actor=None, door=Door.FARM, agent=agent)
            note(agent, "woken_for_money", at=now)
    except Refused:
        return False
    return True
