"""What stops everyone at one project: a 429, or a trouble that only the operator can mend."""

from __future__ import annotations

import logging
import random
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from farm.agents.models import ProviderProject
from farm.agents.pace import pause
from farm.agents.projects import AT_AN_END, CLOSED, FULL, REFUSES, servers_in
from farm.agents.reconciler.operator_letters import tell_of_pause
from farm.agents.request_budgets import bucket_of, budget_of
from provisioning.errors import NeedsOperator, Transient

logger = logging.getLogger(__name__)
QUOTA = "resource_limit_exceeded"
READ_ONLY = "cloud_read_only"
"""Why a project is left alone whose key may look, but change nothing."""
NO_CHANGES = frozenset({"token_readonly", "forbidden", "permissions_denied"})
"""What clouds say to such a key; looking goes on to work, so that it proves nothing."""
NO_IMAGE = "cloud_no_image"
"""Why nothing is made there: the cloud does not know the image that the catalogue names."""
OTHER_PROJECT = "cloud_other_project"
"""Why a project is left alone that has none of the machines which the farm has in it."""
REFUSED = "order_refused"
REASONS = {
    QUOTA: FULL,
    REFUSED: REFUSES,
    "unknown_image": NO_IMAGE,
    "other_project": OTHER_PROJECT,
}
LASTING = (*CLOSED, READ_ONLY, NO_IMAGE)
RATE_LIMITED = "rate_limited"
"""Why a server waits: its cloud takes no more requests of the farm for now."""
MOST_AT_ONCE = 30
"""Requests of one step; Scaleway's longest was seen to send 16."""


def paused_until(project: ProviderProject, now: datetime, *, creating: bool) -> datetime | None:
    """Until when a project is to be left alone; a closed one stops only what would create."""
    if project.paused_until is None or project.paused_until <= now:
        return None
    if project.reason in CLOSED and not creating:
        return None
    return project.paused_until


def pause_for_everyone(project: ProviderProject, error: Transient, now: datetime) -> datetime:
    """A 429: nobody asks anything until its time is over. Answers until when."""
    wait = timedelta(seconds=error.retry_after or 30)
    until = now + wait + timedelta(seconds=random.random())  # noqa: S311 - jitter, no secret
    ProviderProject.objects.filter(pk=project.pk).update(paused_until=until)
    return until


def pause_for_operator(project: ProviderProject, error: NeedsOperator, now: datetime) -> str:
    """Leave the project alone for a while, and tell the operator, in a mail too, when it is news.

    Answers the reason that members read.
    """
    reason, detail = _reason_of(error), str(error)[:500]
    rows = ProviderProject.objects.filter(pk=project.pk)
    known = Q(reason=reason) if reason in LASTING else Q(reason=reason, reason_detail=detail)
    news = rows.exclude(known).update(reason=reason)
    rows.update(paused_until=now + pause(), reason_detail=detail)
    if news:
        logger.error("%s needs the operator (%s): %s", project, error.code, error)
        tell_of_pause(project, reason, detail)
    return reason


def _reason_of(error: NeedsOperator) -> str:
    if error.code in NO_CHANGES:
        return READ_ONLY
    return REASONS.get(error.code, "provider_paused")


def mended(project: ProviderProject, *, created: bool) -> None:
    """A call worked: whatever was wrong with the project is over.

    Only a create proves that a full one has room again, and that a key may change things; and only
    a look at the whole list that it is the farm's own project.
    """
    rows = ProviderProject.objects.filter(pk=project.pk).exclude(reason__in=("", OTHER_PROJECT))
    _end_pause(project, rows if created else rows.exclude(reason__in=LASTING))


def may_change_again(project: ProviderProject) -> None:
    """Its key was tried: what was wrong with it is over."""
    _end_pause(project, ProviderProject.objects.filter(pk=project.pk, reason=READ_ONLY))


def is_ours_again(project: ProviderProject) -> None:
    """It has the farm's machines, or the operator said that it is meant though it has not."""
    _end_pause(project, ProviderProject.objects.filter(pk=project.pk, reason=OTHER_PROJECT))


def _end_pause(project: ProviderProject, rows: QuerySet[ProviderProject]) -> None:
    if rows.update(reason="", reason_detail="", paused_until=None):
        logger.warning("%s works again.", project)


def queue_up(project: ProviderProject, wait: timedelta, tries: int = 1) -> timedelta:
    """How long a server sleeps that finds no request left, after so many steps broken off for that.

    All who wait are spread over the time in which there are requests for all: half of them would
    otherwise wake for each other's. With each try one more comes together: a step that needs
    several at once would otherwise spend the first of them again and again.
    """
    waiting = servers_in(project).filter(reason=RATE_LIMITED).exclude(phase__in=AT_AN_END).count()
    each = bucket_of(budget_of(project.pk)).each
    spread = waiting * random.random()  # noqa: S311 - no secret
    return wait + each * (spread + min(tries, MOST_AT_ONCE) - 1)
