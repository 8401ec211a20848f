"""The daily look whether the books agree: lines, machines, what the clouds charge, the ledger."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from farm.agents.clouds import clouds
from farm.agents.inventory import inventory_at
from farm.agents.projects import projects_at
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.machines import provider_in
from farm.agents.reconciler.operator_letters import tell_of_differences
from farm.agents.reconciler.troubles import Nap
from farm.billing.cloud_invoices import Inventory, imported
from farm.billing.differences import (
    Outcome,
    compare,
    day_span,
    differences,
    keep,
    month_span,
    settled_until,
    totals,
)
from farm.billing.expected import month_after, month_begins
from farm.billing.ledger import SETTLED, post
from farm.billing.owners import Owners, is_the_farms_own
from farm.billing.reconciliation_rows import Reconciliation
from farm.billing.reconciling import Charge, Charged
from farm.billing.rule import month_of
from farm.billing.statements import month_before
from provisioning.budget import Urgency
from provisioning.errors import ProvisioningError
from provisioning.provider import Charges

logger = logging.getLogger(__name__)
AFTER = timedelta(minutes=30)
"""So long after the meter's last hours of a day are sure."""
LATE = timedelta(days=3)
"""By then a cloud has counted all of a month."""
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Look:
    """What was found, and why a cloud could not be asked ("" if all could)."""

    outcome: Outcome
    trouble: str


def ensure_reconciliation(now: datetime) -> None:
    """The row that has the books compared; made once, and due when the first day is over."""
    Reconciliation.objects.get_or_create(pk=1, defaults={"due_at": _next_look(now)})


def drive_reconciliation(claim: Claim[Reconciliation]) -> Nap:
    """Compare this month and the one before, keep what differs, and tell of what is new."""
    now = timezone.now()
    look = reconcile(now)
    tell_of_differences(differences().filter(told_at=None), now)
    with claim.recording():
        row = claim.row
        row.read_to, row.ran_at, row.trouble = settled_until(now), now, look.trouble[:LONGEST]
        row.compared, row.waiting = len(look.outcome.compared), len(look.outcome.waiting)
        claim.save("read_to", "ran_at", "trouble", "compared", "waiting")
    return _next_look(now) - now


def _next_look(now: datetime) -> datetime:
    return settled_until(now) + timedelta(days=1) + SETTLED + AFTER


def reconcile(now: datetime, month: date | None = None) -> Look:
    """Compare a whole month, or the one that runs and the one before it, and keep what differs.

    What of the days that are over is not posted to the ledger yet is posted first.
    """
    post(now)
    this = month_of(settled_until(now) - timedelta(days=1))
    months = (month,) if month else (month_before(this), this)
    looks = [_month(one, now) for one in months]
    outcome = totals(this)
    for look in looks:
        outcome = outcome.plus(look.outcome)
    keep(outcome, months, now)
    return Look(outcome, next((look.trouble for look in looks if look.trouble), ""))


def reconcile_day(day: date, now: datetime) -> Look:
    """Compare one day that is over; clouds charge by the month and are not asked. Keeps nothing."""
    post(now)
    span = day_span(day)
    return Look(compare(inventory_at(now, span.until, span.since), (), span), "")


def _month(month: date, now: datetime) -> Look:
    span = month_span(month, now)
    inventory = inventory_at(now, span.until, span.since)
    charged, troubles = list[Charged](), list[str]()
    for name in _clouds_of(inventory):
        try:
            found = _charged(name, month, inventory, now)
        except ProvisioningError as error:
            if error.code == "no_token":
                continue
            logger.warning("%s does not say what it charges: %s", name, error)
            troubles.append(f"{name}: {error}")
        else:
            charged += [found] if found else []
    return Look(compare(inventory, charged, span), "; ".join(troubles))


def _clouds_of(inventory: Inventory) -> Sequence[str]:
    return sorted({*clouds(), *(thing.provider for thing in inventory.things)})


def _charged(name: str, month: date, inventory: Inventory, now: datetime) -> Charged | None:
    """By the cloud's own word, or by its invoice where it gives none."""
    if invoice := imported(name, month):
        return invoice
    if name not in clouds():
        return None
    said = [
        charges
        for project in projects_at(name)
        if (charges := provider_in(project, Urgency.BACKGROUND).charges(month)) is not None
    ]
    if not said:
        return None
    end = month_begins(month_after(month))
    owners = Owners(inventory.things, name)
    return Charged(
        provider=name,
        month=month,
        until=min(end, *(one.until for one in said)),
        charges=tuple(_ours(said, owners, month)),
        goes_on=now < end + LATE,
    )


def _ours(said: Sequence[Charges], owners: Owners, month: date) -> Iterator[Charge]:
    for charges in said:
        for one in charges.charges:
            kind, resource = str(one.kind or ""), one.name or one.id
            if one.micros and not is_the_farms_own(resource):
                uid = owners.of(kind, (one.id, one.name))
                yield Charge(resource, uid, kind, month, None, one.micros)
