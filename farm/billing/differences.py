"""Holds the books against each other and keeps where they disagree, each difference once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum

from farm.billing.cloud_invoices import Inventory
from farm.billing.expected import Tally, month_after, month_begins
from farm.billing.ledger import SETTLED
from farm.billing.models import Kind, UsageLine
from farm.billing.posted import against_ledger, against_totals
from farm.billing.reconciliation_rows import Difference, Side
from farm.billing.reconciling import (
    Charged,
    Gap,
    Key,
    against_cloud,
    against_inventory,
    must_be,
)

InventoryAt = Callable[[datetime, datetime], Inventory]
"""From when on, and until when all of it should be known."""


@dataclass(frozen=True, slots=True)
class Span:
    """Hours that begin from `since` and before `until`, within one month of UTC."""

    since: datetime
    until: datetime

    @property
    def month(self) -> date:
        """Its month's first day."""
        return self.since.date().replace(day=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Which machines were compared and which must wait (uids), and where books differ.

    `clouds` are those whose own charges were read.
    """

    compared: frozenset[str] = frozenset()
    waiting: frozenset[str] = frozenset()
    clouds: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()

    def plus(self, other: Outcome) -> Outcome:
        """Both; each cloud once."""
        return Outcome(
            self.compared | other.compared,
            self.waiting | other.waiting,
            tuple(dict.fromkeys((*self.clouds, *other.clouds))),
            (*self.gaps, *other.gaps),
        )


def settled_until(now: datetime) -> datetime:
    """The last midnight (UTC) before which every hour is over and surely written."""
    return datetime.combine((now - SETTLED).astimezone(UTC).date(), time(), tzinfo=UTC)


def month_span(month: date, now: datetime) -> Span:
    """The month as far as it is over."""
    begin = month_begins(month)
    return Span(begin, max(begin, min(month_begins(month_after(month)), settled_until(now))))


def day_span(day: date) -> Span:
    """One day."""
    begin = datetime.combine(day, time(), tzinfo=UTC)
    return Span(begin, begin + timedelta(days=1))


def compare(inventory: Inventory, charged: Sequence[Charged], span: Span) -> Outcome:
    """The lines of that span against machines, clouds and ledger; it writes nothing."""
    things = inventory.things
    lines = _lines(Q(began_at__gte=span.since, began_at__lt=span.until))
    due = must_be(things, inventory.prices, span.since, span.until)
    gaps = [
        *against_inventory(things, lines, due),
        *(gap for one in charged for gap in against_cloud(things, _ours(inventory, one), one)),
        *against_ledger(span.since.date(), span.until.date()),
    ]
    there = {uid for uid, _, _ in due}
    waiting = {thing.group for thing in things if thing.waiting}
    held = {thing.uid for thing in things if thing.group in waiting} & there
    clouds = tuple(one.provider for one in charged)
    return Outcome(frozenset(there - held), frozenset(held), clouds, tuple(gaps))


def totals(month: date) -> Outcome:
    """Running totals against transfers."""
    return Outcome(gaps=tuple(against_totals(month)))


@transaction.atomic
def keep(outcome: Outcome, months: Iterable[date], now: datetime) -> None:
    """Write down what was found of these whole months, and that what was not found is gone."""
    looked = Q(side__in=(Side.INVENTORY, Side.POSTED), month__in=list(months))
    looked |= Q(side=Side.CLOUD, month__in=list(months), provider__in=outcome.clouds)
    open_ = Difference.objects.filter(looked | Q(side=Side.RUNNING), gone_at=None)
    there = {_place(row.side, row.provider, row.subject, row.kind, row.month): row for row in open_}
    for gap in outcome.gaps:
        row = there.pop(_place(gap.side, gap.provider, gap.subject, gap.kind, gap.month), None)
        _note(row, gap, now)
    Difference.objects.filter(pk__in=[row.pk for row in there.values()]).update(gone_at=now)


def differences() -> QuerySet[Difference]:
    """Where the books disagree, as far as is known; the newest first."""
    return Difference.objects.filter(gone_at=None).order_by("-found_at", "side", "subject", "kind")


def _place(side: str, provider: str, subject: str, kind: str, month: date) -> tuple[object, ...]:
    return side, provider, subject[:200], kind, month


def _note(row: Difference | None, gap: Gap, now: datetime) -> None:
    found = row or Difference(
        side=gap.side,
        provider=gap.provider,
        subject=gap.subject[:200],
        kind=gap.kind,
        month=gap.month,
        found_at=now,
    )
    found.hours, found.micros = gap.ours.hours, gap.ours.micros
    found.other_hours, found.other_micros = gap.other_hours, gap.other.micros
    found.seen_at = now
    found.save()


def _ours(inventory: Inventory, charged: Charged) -> dict[Key, Tally]:
    """Written lines of a whole month; of one that goes on, what it must have come to by then."""
    if charged.is_whole:
        return _lines(Q(month=charged.month))
    begin = month_begins(charged.month)
    return must_be(inventory.things, inventory.prices, begin, charged.until)


def _lines(which: Q) -> dict[Key, Tally]:
    rows = UsageLine.objects.filter(which).exclude(kind=Kind.FEE).order_by()
    sums = rows.values_list("server_uid", "kind", "month").annotate(
        hours=Count("pk"), cost=Sum("cloud_micros")
    )
    return {(uid, kind, month): Tally(hours, cost) for uid, kind, month, hours, cost in sums}
