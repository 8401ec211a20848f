"""The meter: writes the lines that have become sure, each once, however often it runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Max, Q, Sum

from farm.billing.ledger import note_late
from farm.billing.models import Assignment, Cause, PriceRow, UsageLine
from farm.billing.payers import SETTLING
from farm.billing.rule import (
    Cap,
    Caps,
    Hour,
    Prices,
    Terms,
    Written,
    as_counted,
    begun_hours,
    count_of,
    due_of,
    sure_hours,
)
from farm.billing.stays import Stay

AT_ONCE = 500
"""Lines in one transaction."""
SAID = (
    *("agent_uid", "agent_name", "cost_centre", "person_email", "valid_from", "monthly_micros"),
    *("payer__account__uid", "person__username"),
)
"""What a line is written from: of ten thousand agents no more is read than that."""
Assignments = Mapping[str, Sequence[Assignment]]
"""By agent, the earliest first."""


@dataclass(frozen=True, slots=True)
class Run:
    """How many hours were looked at, and which servers ended and have their last hour written."""

    hours: int
    finished: frozenset[str]


def write_lines(stays: Sequence[Stay], now: datetime) -> Run:
    """Write every hour of these stays that is sure.

    All stays of an agent that may still have hours to write must come together. Three reads and
    one write in pieces however many stays there are; a run beside this one, or one that was killed
    between two pieces, changes nothing about the lines.
    """
    prices, said = prices_of(stays), _assignments(stays)
    written = written_of(stays, prices)
    hours = list(sure_hours(stays, Terms(prices, _caps(said)), written, now - SETTLING))
    note_late((hour.month for hour in hours), now)
    for first in range(0, len(hours), AT_ONCE):
        # Cut in their order, what is written is what an earlier run would have: nobody waits long.
        lines = [_line(hour, _bearer(hour, said)) for hour in hours[first : first + AT_ONCE]]
        UsageLine.objects.bulk_create(lines, ignore_conflicts=True)
    return Run(len(hours), _finished(stays, prices, written))


def drafts(stays: Sequence[Stay]) -> Sequence[UsageLine]:
    """The lines not yet written of hours that have begun, as they will be; none of them is saved.

    With `known_until` in the future they are what machines will cost if they go on serving.
    """
    prices, said = prices_of(stays), _assignments(stays)
    hours = begun_hours(stays, Terms(prices, _caps(said)), written_of(stays, prices))
    return [_line(hour, _bearer(hour, said)) for hour in hours]


def cost_so_far(stays: Sequence[Stay]) -> Mapping[str, int]:
    """Payers' micro-units by agent: what is written, and what has begun since, by the same rule."""
    prices, said = prices_of(stays), _assignments(stays)
    written = written_of(stays, prices)
    for _ in begun_hours(stays, Terms(prices, _caps(said)), written):
        continue
    costs: defaultdict[str, int] = defaultdict(int)
    for (agent_uid, _month), micros in written.charged.items():
        costs[agent_uid] += micros
    return costs


def month_so_far(stay: Stay, month: date) -> Mapping[str, int]:
    """What its month's prices have come to, by kind, since its cloud last counted anew."""
    prices = prices_of([stay])
    written = written_of([stay], prices)
    for _ in begun_hours([stay], Terms(prices, {}), written):
        continue
    return {
        kind: written.due[uid, kind, sum(row.counts_anew for row in rows), month]
        for (uid, kind), rows in prices.items()
    }


def prices_of(stays: Iterable[Stay]) -> Prices:
    """Every dated price of these servers."""
    found: defaultdict[tuple[str, str], list[PriceRow]] = defaultdict(list)
    uids = {stay.server_uid for stay in stays}
    for row in PriceRow.objects.filter(server_uid__in=uids).order_by("valid_from"):
        found[row.server_uid, row.kind].append(row)
    return found


def written_of(stays: Iterable[Stay], prices: Prices) -> Written:
    """What is written of these stays' servers and agents; one read, so that it fits together."""
    stays = list(stays)
    servers = {stay.server_uid for stay in stays}
    agents = {stay.agent_uid for stay in stays} - {""}
    mine = UsageLine.objects.filter(Q(server_uid__in=servers) | Q(agent_uid__in=agents))
    written = Written()
    counts = {row.pk: count_of(rows, row.valid_from) for rows in prices.values() for row in rows}
    priced = mine.values("server_uid", "agent_uid", "kind", "month", "price_id")
    sums = priced.annotate(
        top=Max("hour_index"), cloud=Sum("cloud_micros"), charged=Sum("micros")
    ).order_by()
    for row in sums:
        uid, kind, month = row["server_uid"], row["kind"], row["month"]
        top = max(written.next_index.get((uid, kind), 0), row["top"] + 1)
        written.next_index[uid, kind] = top
        # Of a machine that is not among the prices nothing more is to be charged.
        key = (uid, kind, counts.get(row["price_id"], 0), month)
        written.due[key] += due_of(kind, row["cloud"], row["charged"])
        written.charged[row["agent_uid"], month] += row["charged"]
    return written


def _finished(stays: Sequence[Stay], prices: Prices, written: Written) -> frozenset[str]:
    gone = [stay for stay in stays if stay.gone_at is not None]
    ended = {stay.server_uid: stay for stay in as_counted(gone, prices)}
    unfinished = {
        uid
        for uid, kind in prices
        if uid in ended and written.next_index.get((uid, kind), 0) < ended[uid].hours_begun(kind)
    }
    return frozenset(ended.keys() - unfinished)


def _assignments(stays: Iterable[Stay]) -> Assignments:
    found: defaultdict[str, list[Assignment]] = defaultdict(list)
    agent_uids = {stay.agent_uid for stay in stays} - {""}
    rows = Assignment.objects.filter(agent_uid__in=agent_uids).select_related(
        "person", "payer__account"
    )
    for row in rows.only(*SAID).order_by("valid_from"):
        found[row.agent_uid].append(row)
    return found


def _caps(said: Assignments) -> Caps:
    return {
        uid: [Cap(row.valid_from, row.monthly_micros) for row in rows] for uid, rows in said.items()
    }


def _bearer(hour: Hour, said: Assignments) -> Assignment | None:
    """Who was to pay when the hour began; the first word also counts for moments before it."""
    if hour.cause is Cause.POOL:
        return None
    rows = said.get(hour.stay.agent_uid, ())
    valid = (row for row in reversed(rows) if row.valid_from <= hour.began_at)
    return next(valid, rows[0] if rows else None)


def _line(hour: Hour, bearer: Assignment | None) -> UsageLine:
    paid = hour.cause is None or hour.micros > 0
    return UsageLine(
        server_uid=hour.stay.server_uid,
        hour_index=hour.index,
        kind=hour.kind,
        began_at=hour.began_at,
        month=hour.month,
        agent_uid="" if hour.cause is Cause.POOL else hour.stay.agent_uid,
        agent_name=bearer.agent_name if bearer else "",
        account_uid=bearer.payer.account.uid if bearer else "",
        payer_id=bearer.payer_id if bearer and paid else None,
        cost_centre=bearer.cost_centre if bearer else "",
        person_uid=bearer.person.username if bearer and bearer.person else "",
        person_email=bearer.person_email if bearer else "",
        micros=hour.micros if bearer else 0,
        cloud_micros=hour.cloud_micros,
        currency=hour.price.currency,
        price=hour.price,
        capped=hour.capped,
        cause=_cause_of(hour, bearer),
    )


def _cause_of(hour: Hour, bearer: Assignment | None) -> str:
    if hour.cause is Cause.POOL:
        return Cause.POOL
    return (hour.cause or "") if bearer else Cause.NOBODY
