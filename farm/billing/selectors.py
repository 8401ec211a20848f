"""Questions about money: what a server costs, and what a span of it has cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from farm.billing.models import Kind, PriceRow
from farm.billing.prices import Rate

HOUR = timedelta(hours=1)
HOURS_OF_LONGEST_MONTH = 31 * 24


@dataclass(frozen=True, slots=True)
class Span:
    """A server's time that a payer is charged for: whole hours counted from `created_at`.

    The first is the one in which `since` lies, the last the one in which `until` lies. `charged_as`
    is what the cap is promised for: an agent's uid, whatever servers it had.
    """

    charged_as: str
    server_uid: str
    created_at: datetime
    since: datetime
    until: datetime

    def hours(self) -> Iterator[datetime]:
        """When each charged hour began."""
        first = max(0, (self.since - self.created_at) // HOUR)
        last = max(first, (self.until - self.created_at) // HOUR)
        for index in range(first, last + 1):
            yield self.created_at + index * HOUR


def rate_of(server_uid: str) -> Rate | None:
    """What a server costs now, its IPv4 included; None while no price of it is known."""
    latest = {row.kind: row for row in _rows_of(server_uid)}
    if Kind.SERVER not in latest:
        return None
    rows = list(latest.values())
    caps = [row.monthly_micros for row in rows]
    return Rate(
        hourly_micros=sum(row.hourly_micros for row in rows),
        monthly_micros=sum(cap for cap in caps if cap is not None) if None not in caps else None,
        currency=rows[0].currency,
    )


def at_most_monthly(rate: Rate) -> int:
    """The most that a calendar month can cost, in micro-units: the cap, or its every hour."""
    if rate.monthly_micros is not None:
        return rate.monthly_micros
    return rate.hourly_micros * HOURS_OF_LONGEST_MONTH


def cost_of_spans(spans: Sequence[Span]) -> Mapping[str, int]:
    """Micro-units by what the spans are charged as, in one query however many there are.

    Started hours, capped in each calendar month of UTC over all servers of one `charged_as`: what
    a second machine would cost beyond the cap is the farm's.
    """
    by_kind: defaultdict[tuple[str, str], list[PriceRow]] = defaultdict(list)
    uids = {span.server_uid for span in spans}
    for row in PriceRow.objects.filter(server_uid__in=uids).order_by("valid_from"):
        by_kind[row.server_uid, row.kind].append(row)
    months: defaultdict[tuple[str, str, int, int], int] = defaultdict(int)
    for span in sorted(spans, key=lambda span: span.created_at):
        for kind in Kind.values:
            if rows := by_kind.get((span.server_uid, kind)):
                _charge(months, kind, rows, span)
    costs = {span.charged_as: 0 for span in spans}
    for (charged_as, *_), micros in months.items():
        costs[charged_as] += micros
    return costs


def _rows_of(server_uid: str) -> Sequence[PriceRow]:
    return list(PriceRow.objects.filter(server_uid=server_uid).order_by("valid_from"))


def _charge(
    months: defaultdict[tuple[str, str, int, int], int],
    kind: str,
    rows: Sequence[PriceRow],
    span: Span,
) -> None:
    for began in span.hours():
        row = _valid_at(rows, began)
        utc = began.astimezone(UTC)
        month = (span.charged_as, kind, utc.year, utc.month)
        total = months[month] + row.hourly_micros
        if row.monthly_micros is not None:
            # A cheaper machine later in the month takes nothing back.
            total = max(months[month], min(total, row.monthly_micros))
        months[month] = total


def _valid_at(rows: Sequence[PriceRow], at: datetime) -> PriceRow:
    """The row in force at `at`; the first also counts for the moments before it was written."""
    return next((row for row in reversed(rows) if row.valid_from <= at), rows[0])
