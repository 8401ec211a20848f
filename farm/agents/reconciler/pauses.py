"""What stops everyone at one project: a 429, or a trouble that only the operator can mend."""

from __future__ import annotations

import logging
import random
from datetime import datetime, timedelta

from farm.agents.models import ProviderProject
from farm.agents.pace import pause
from farm.agents.projects import AT_AN_END, FULL, servers_in
from farm.agents.request_budgets import bucket_of, budget_of
from provisioning.errors import NeedsOperator, Transient

logger = logging.getLogger(__name__)
QUOTA = "resource_limit_exceeded"
RATE_LIMITED = "rate_limited"
"""Why a server waits: its cloud takes no more requests of the farm for now."""


def paused_until(project: ProviderProject, now: datetime, *, creating: bool) -> datetime | None:
    """Until when a project is to be left alone; a full one stops only what would create."""
    if project.paused_until is None or project.paused_until <= now:
        return None
    if project.reason == FULL and not creating:
        return None
    return project.paused_until


def pause_for_everyone(project: ProviderProject, error: Transient, now: datetime) -> datetime:
    """A 429: nobody asks anything until its time is over. Answers until when."""
    wait = timedelta(seconds=error.retry_after or 30)
    until = now + wait + timedelta(seconds=random.random())  # noqa: S311 - jitter, no secret
    ProviderProject.objects.filter(pk=project.pk).update(paused_until=until)
    return until


def pause_for_operator(project: ProviderProject, error: NeedsOperator, now: datetime) -> str:
    """Leave the project alone for a while, and tell the operator when it is news.

    Answers the reason that members read.
    """
    reason = FULL if error.code == QUOTA else "provider_paused"
    rows = ProviderProject.objects.filter(pk=project.pk)
    news = rows.exclude(reason=reason, reason_detail=str(error)[:500]).update(
        reason=reason, reason_detail=str(error)[:500]
    )
    rows.update(paused_until=now + pause())
    if news:
        logger.error("%s needs the operator (%s): %s", project, error.code, error)
    return reason


def mended(project: ProviderProject, *, created: bool) -> None:
    """A call worked: whatever was wrong with the project is over.

    Only a create proves that a full one has room again.
    """
    rows = ProviderProject.objects.filter(pk=project.pk).exclude(reason="")
    if not created:
        rows = rows.exclude(reason=FULL)
    if rows.update(reason="", reason_detail="", paused_until=None):
        logger.warning("%s works again.", project)


def queue_up(project: ProviderProject, wait: timedelta) -> timedelta:
    """How long a server sleeps that finds no request left for it.

    All who wait are spread over the time in which there are requests for all: half of them would
    otherwise wake for each other's.
    """
    waiting = servers_in(project).filter(reason=RATE_LIMITED).exclude(phase__in=AT_AN_END).count()
    each = bucket_of(budget_of(project.pk)).each
    return wait + each * (waiting * random.random())  # noqa: S311 - no secret
