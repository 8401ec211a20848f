"""The operator's removal of what is nobody's, before its quarantine is over."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from farm.accounts.models import Door, User
from farm.accounts.permissions import Action, demand
from farm.accounts.services import record
from farm.agents.models import Orphan, ProviderProject
from farm.agents.reconciler.machines import provider_in
from farm.agents.reconciler.orphans import billed_by, is_marked, strays_among
from provisioning.provider import Billable


def remove_orphans(*, actor: User, door: Door, wanted: Collection[int]) -> Sequence[str]:
    """Order the end of these orphans, by the numbers of their rows; answers those ordered.

    Each is looked for at its cloud once more: whatever has a row by now, is gone, or does not
    carry all of the farm's labels stays. PermissionDenied to all but the farm's operators; the
    errors of `provisioning.errors` where a cloud refuses.
    """
    demand(actor, Action.OPERATE_FARM)
    rows = Orphan.objects.filter(pk__in=wanted, marked=True)
    known = {(row.provider, row.kind, row.location, row.cloud_id) for row in rows}
    places = ProviderProject.objects.filter(provider__in={row.provider for row in rows})
    return [
        _remove(actor, door, project, stray)
        for project in places.order_by("pk")
        for stray in strays_among(billed_by(provider_in(project)))
        if (project.provider, stray.kind.value, stray.location, stray.id) in known
        and is_marked(stray)
    ]


def _remove(actor: User, door: Door, project: ProviderProject, stray: Billable) -> str:
    told = f"{project} {stray.kind} {stray.id}"
    record(account=None, actor=actor, door=door, verb="remove orphan", subject=told)
    provider_in(project).remove(stray)
    return f"{stray.kind} {stray.name}"
