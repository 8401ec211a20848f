"""Every line of a month for other people's spreadsheets, row by row as it is read."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TextIO

from farm.billing.ai_rows import AiDay
from farm.billing.models import Payer, UsageLine
from farm.billing.rule import next_month
from farm.billing.tables import exact, harmless

AT_ONCE = 2_000
COLUMNS = (
    "began_at",
    "account",
    "payer",
    "payer_uid",
    "person",
    "cost_centre",
    "agent",
    "agent_uid",
    "server_uid",
    "kind",
    "amount",
    "cloud_amount",
    "farm_bears",
    "cause",
    "currency",
)
"""Of one row; amounts are net, with six decimals."""


def month_rows(month: date, account_uid: str | None = None) -> Iterator[Sequence[str]]:
    """The head, then every hour of every machine and every day of AI, of one account or of all.

    Hours that nobody pays are of the whole farm only.
    """
    yield COLUMNS
    lines = UsageLine.objects.filter(month=month).select_related("payer__account")
    days = AiDay.objects.filter(day__gte=month, day__lt=next_month(month))
    if account_uid is not None:
        lines = lines.filter(account_uid=account_uid, payer__isnull=False)
        mine = Payer.objects.filter(account__uid=account_uid)
        days = days.filter(payer_uid__in=mine.values_list("uid", flat=True))
    ordered = lines.order_by("began_at", "server_uid", "kind")
    yield from map(_line, ordered.iterator(chunk_size=AT_ONCE))
    payers = {payer.uid: payer for payer in Payer.objects.select_related("account")}
    ordered_days = days.order_by("day", "agent_uid", "provider", "model")
    for day in ordered_days.iterator(chunk_size=AT_ONCE):
        yield _day(day, payers.get(day.payer_uid))


def write_csv(rows: Iterable[Sequence[str]], to: TextIO) -> int:
    """Write them as they come, without the head how many there were."""
    writer, written = csv.writer(to), -1
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
        written += 1
    return max(0, written)


def _line(line: UsageLine) -> Sequence[str]:
    payer = line.payer
    return (
        line.began_at.isoformat(),
        str(payer.account) if payer else "",
        payer.name if payer else "",
        payer.uid if payer else "",
        line.person_email,
        line.cost_centre,
        line.agent_name,
        line.agent_uid,
        line.server_uid,
        line.kind,
        exact(line.micros),
        exact(line.cloud_micros),
        exact(max(0, line.cloud_micros - line.micros)),
        line.cause,
        line.currency,
    )


def _day(day: AiDay, payer: Payer | None) -> Sequence[str]:
    return (
        day.day.isoformat(),
        str(payer.account) if payer else "",
        payer.name if payer else "",
        day.payer_uid,
        day.person_email,
        day.cost_centre,
        day.agent_name,
        day.agent_uid,
        "",
        f"ai {day.provider}/{day.model}",
        exact(day.cost_micros if payer else 0),
        exact(day.cost_micros),
        exact(0 if payer else day.cost_micros),
        "",
        "EUR",
    )
