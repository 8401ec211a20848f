"""The end of images: what somebody who died left, and what a newer one takes the place of."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from django.db import transaction

from farm.accounts.models import Door
from farm.accounts.services import record
from farm.agents.images.baking import builder_name
from farm.agents.images.places import runtimes_in_use
from farm.agents.images.trying import tester_name
from farm.agents.images.waiting import is_removed
from farm.agents.models import ProviderProject, ServerImage, ServerPhase
from farm.agents.projects import servers_in
from farm.agents.reconciler.labels import BAKED_LABEL
from farm.catalog import catalog
from provisioning.errors import Transient
from provisioning.provider import Billable, BillableKind, Provider

logger = logging.getLogger(__name__)
State = ServerImage.State
BEING_MADE = (ServerPhase.REQUESTED, ServerPhase.CREATING)


def tidy(project: ProviderProject, provider: Provider, now: datetime) -> Sequence[str]:
    """Give up what its baker left, retire what is superseded, end both; a sentence for each ended.

    What cannot be ended yet is tried again at the next call.
    """
    for row in ServerImage.objects.filter(project=project):
        if row.is_abandoned(now):
            _give_up(row, now)
    retire(project)
    ending = ServerImage.objects.filter(project=project, state=State.ENDING)
    return [f"{row} is gone." for row in ending if _is_ended_now(row, provider)]


def retire(project: ProviderProject) -> None:
    """Of each runtime in use the newest good image stays at each place; no other is used any more.

    One that a server is being made from stays until that is done.
    """
    for row in list(_superseded(project)):
        with transaction.atomic():
            good = ServerImage.objects.filter(pk=row.pk, state=State.GOOD)
            # The update holds the row first: whoever takes the image now has to wait, and the one
            # who took it has written so.
            good.update(state=State.ENDING)
            if servers_in(project).filter(image=row.image, phase__in=BEING_MADE).exists():
                transaction.set_rollback(True)
                continue
            logger.warning("%s is retired.", row)
            record(account=None, actor=None, door=Door.FARM, verb="retire image", subject=str(row))


def _is_ended_now(row: ServerImage, provider: Provider) -> bool:
    """The same; a machine that cannot go just now keeps nobody from the rest."""
    try:
        return is_ended(row, provider)
    except Transient as error:
        logger.info("%s is not removed yet: %s", row, error)
        return False


def is_ended(row: ServerImage, provider: Provider) -> bool:
    """Whether neither it nor a machine of it is there any more; what is, is ordered to end."""
    left = [
        name for name in (builder_name(row), tester_name(row)) if not is_removed(provider, name)
    ]
    if left:
        return False
    there = provider.copies({BAKED_LABEL: row.uid})
    for copy in there:
        provider.discard(copy)
    if there:
        return False
    row.delete()
    return True


def note_bills(
    project: ProviderProject, provider: Provider, bills: Sequence[Billable], before: datetime
) -> None:
    """What each costs by its cloud's own list; one good `before` it and not there is told of."""
    listed = {bill.labels.get(BAKED_LABEL): bill for bill in bills if _is_image(bill)}
    for row in ServerImage.objects.filter(project=project, state=State.GOOD, good_at__lt=before):
        bill, own = listed.get(row.uid), ServerImage.objects.filter(pk=row.pk)
        if bill and bill.price.hourly != row.hourly_micros:
            own.update(hourly_micros=bill.price.hourly, monthly_micros=bill.price.monthly)
        elif bill is None and not provider.copies({BAKED_LABEL: row.uid}):
            own.delete()
            logger.error("%s is not at its cloud any more: `farm images build` makes another.", row)


def _is_image(bill: Billable) -> bool:
    return bill.kind is BillableKind.SNAPSHOT and BAKED_LABEL in bill.labels


def _give_up(row: ServerImage, now: datetime) -> None:
    left = ServerImage.objects.filter(pk=row.pk, state=row.state, held_until__lt=now)
    if left.update(state=State.ENDING):
        logger.warning("%s was left unfinished by who baked it: it is removed.", row)


def _superseded(project: ProviderProject) -> Iterator[ServerImage]:
    used = runtimes_in_use(catalog().runtime_version)
    good = ServerImage.objects.filter(project=project, state=State.GOOD)
    rows = sorted(good, key=lambda row: (*_shelf(row), row.good_at or row.asked_at))
    for _, shelf in groupby(rows, key=_shelf):
        *older, newest = shelf
        yield from older
        version, node = newest.runtime_version, newest.node_version
        if version not in used or node != catalog().node_version:
            yield newest


def _shelf(row: ServerImage) -> tuple[str, str, str]:
    return (row.location, row.runtime_version, row.node_version)
