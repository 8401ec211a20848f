"""What happened to an agent, written down in the transaction in which it happened."""

from __future__ import annotations

from datetime import datetime

from farm.agents.models import Agent, Event


def note(agent: Agent, code: str, *, at: datetime, detail: str = "", server_uid: str = "") -> None:
    """One line in the agent's history; `code` is one of `sentences.SENTENCES`."""
    Event.objects.create(agent=agent, code=code, at=at, detail=detail[:500], server_uid=server_uid)
