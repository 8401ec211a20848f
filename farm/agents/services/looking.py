"""Writing down who looks at another person's agent."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from farm.accounts.models import AuditEntry, Door, User
from farm.accounts.services import record
from farm.agents.models import Agent

LOOK = "look at agent"
ONE_VISIT = timedelta(minutes=15)


def note_look(*, actor: User, door: Door, agent: Agent) -> None:
    """Somebody else than its keeper saw the agent's page; a visit of some minutes is one line."""
    if agent.owner_id == actor.pk:
        return
    lately = timezone.now() - ONE_VISIT
    seen = AuditEntry.objects.filter(actor=actor, verb=LOOK, subject=agent.uid, at__gt=lately)
    if not seen.exists():
        record(account=agent.account, actor=actor, door=door, verb=LOOK, subject=agent.uid)
