"""What stops everyone at one cloud: a 429, or a trouble that only the operator can mend."""

from __future__ import annotations

import logging
import random
from datetime import datetime, timedelta

from django.utils import timezone

from farm.agents.models import ProviderProject
from farm.agents.pace import pause
from farm.agents.placement import FULL
from provisioning.errors import NeedsOperator, Transient

logger = logging.getLogger(__name__)
QUOTA = "resource_limit_exceeded"


def project_of(provider: str) -> ProviderProject:
    """The row of a cloud's project; made when it is first needed."""
    project, _ = ProviderProject.objects.get_or_create(
        provider=provider, defaults={"due_at": timezone.now()}
    )
    return project


def paused_until(provider: str, now: datetime, *, creating: bool) -> datetime | None:
    """Until when a cloud is to be left alone; a full account stops only what would create."""
    project = project_of(provider)
    if project.paused_until is None or project.paused_until <= now:
        return None
    if project.reason == FULL and not creating:
        return None
    return project.paused_until


def pause_for_everyone(provider: str, error: Transient, now: datetime) -> datetime:
    """A 429: nobody asks anything until its time is over. Answers until when."""
    wait = timedelta(seconds=error.retry_after or 30)
    until = now + wait + timedelta(seconds=random.random())  # noqa: S311 - jitter, no secret
    ProviderProject.objects.filter(provider=provider).update(paused_until=until)
    return until


def pause_for_operator(provider: str, error: NeedsOperator, now: datetime) -> str:
    """Leave the cloud alone for a while, and tell the operator when it is news.

    Answers the reason that members read.
    """
    reason = FULL if error.code == QUOTA else "provider_paused"
    rows = ProviderProject.objects.filter(provider=provider)
    news = rows.exclude(reason=reason, reason_detail=str(error)[:500]).update(
        reason=reason, reason_detail=str(error)[:500]
    )
    rows.update(paused_until=now + pause())
    if news:
        logger.error("%s needs the operator (%s): %s", provider, error.code, error)
    return reason


def mended(provider: str, *, created: bool) -> None:
    """A call worked: whatever was wrong with the account is over.

    Only a create proves that a full account has room again.
    """
    rows = ProviderProject.objects.filter(provider=provider).exclude(reason="")
    if not created:
        rows = rows.exclude(reason=FULL)
    if rows.update(reason="", reason_detail="", paused_until=None):
        logger.warning("%s works again.", provider)
