"""The projects at clouds as the operator looks at them: machines, requests left, and troubles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from farm.agents.models import ProviderProject
from farm.agents.projects import AT_AN_END, servers_in
from farm.agents.request_budgets import bucket_of, budget_of


@dataclass(frozen=True, slots=True)
class ProjectView:
    """One project; `left` of `limit` requests may be sent now, `reserve` of them for members.

    `open_from` is until when nothing is asked of it, None if it may be now; `asked` counts every
    request since the farm knows it; `accounts` have their new machines made there.
    """

    provider: str
    name: str
    machines: int
    accounts: int
    left: int
    limit: int
    reserve: int
    asked: int
    held: bool
    reason: str
    detail: str
    open_from: datetime | None


def projects() -> Sequence[ProjectView]:
    """Every project, by cloud and by age."""
    return [_view(row) for row in ProviderProject.objects.order_by("provider", "pk")]


def project_named(word: str) -> ProviderProject | None:
    """The project that somebody means by "hetzner/second", or by its cloud alone if it is one."""
    provider, _, name = word.partition("/")
    named = Q(provider=provider, name=name) if name else Q(provider=provider)
    found = list(ProviderProject.objects.filter(named)[:2])
    return found[0] if len(found) == 1 else None


def _view(row: ProviderProject) -> ProjectView:
    now, kept = timezone.now(), budget_of(row.pk)
    bucket = bucket_of(kept)
    closed = [moment for moment in (row.paused_until, bucket.closed_until) if moment]
    later = [moment for moment in closed if moment > now]
    return ProjectView(
        provider=row.provider,
        name=row.name,
        machines=servers_in(row).exclude(phase__in=AT_AN_END).count(),
        accounts=row.accounts.count(),
        left=bucket.left(now),
        limit=bucket.limit,
        reserve=bucket.reserve,
        asked=kept.asked,
        held=row.held,
        reason=row.reason,
        detail=row.reason_detail,
        open_from=max(later, default=None),
    )
