"""The meter and the month's close beside bare SQL: python -m bench.billing [MACHINES] [PAYERS].

Started on a Postgres of its own, or in a test database of DATABASE_URL. Everything is measured at a
tenth and in full. The meter writes one more hour of every machine, and again once each has a month
behind it; beside it one INSERT ... SELECT writes the same rows. The close posts a month and makes
its bills; beside it a few INSERT ... SELECT sum the same lines into the same rows.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import django

MACHINES, PAYERS = 10_000, 1_000
SUMS = (
    """CREATE TEMPORARY TABLE posted AS SELECT payer_id, currency,
    (began_at AT TIME ZONE 'UTC')::date AS day, sum(micros) AS micros, sum(cloud_micros) AS cloud
    FROM billing_usageline WHERE month = '2026-10-01' GROUP BY 1, 2, 3""",
    """CREATE TEMPORARY TABLE billed AS SELECT payer_id, agent_uid, sum(micros) AS micros
    FROM billing_usageline WHERE month = '2026-10-01' GROUP BY 1, 2""",
)
"""What a close sums, each once: by payer and day for the ledger, by payer and agent for bills."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Seconds of the farm's way and of bare SQL for the same rows."""

    what: str
    rows: int
    farm: float
    bare: float

    def __str__(self) -> str:
        ratio = self.farm / self.bare
        seconds = f"farm {self.farm:8.2f} s   bare SQL {self.bare:8.2f} s"
        return f"{self.what:<44} {self.rows:>9,} lines   {seconds}   ratio {ratio:5.2f}"


def main(machines: int, payers: int) -> None:
    """The table: a tenth, in full, and how it grows."""
    small = measured(machines // 10, payers // 10)
    large = measured(machines, payers)
    for before, after in zip(small, large, strict=True):
        growth = after.farm / before.farm / (after.rows / before.rows)
        print(f"{after.what}: ten times as much takes {growth:.2f} times as long for each line")


def measured(machines: int, payers: int) -> Sequence[Pair]:
    """Both, in a database of that size that is empty before and after."""
    with empty_database():
        from bench.fleet import fleet, lines

        fleet(machines, payers)
        pairs = [meter_beside(machines, "the meter, one hour, young machines", 1)]
        empty_lines()
        lines()
        pairs.append(close_beside(machines, payers))
        pairs.append(meter_beside(machines, "the meter, one hour, 15 days behind it", 361))
        for pair in pairs:
            print(f"{machines:>6,} machines, {payers:>5,} payers: {pair}", flush=True)
        return pairs


def meter_beside(machines: int, what: str, hour: int) -> Pair:
    """One more hour by the meter, the one after that by one statement."""
    from bench.fleet import BEGAN, HOUR, next_hour
    from farm.agents.reconciler.metering import meter
    from farm.billing.models import UsageLine
    from tests.farm.billing.scenes import swept

    end = BEGAN + hour * HOUR + HOUR / 20
    swept(end)
    before = UsageLine.objects.count()
    farm = seconds(lambda: meter(end))
    rows = UsageLine.objects.count() - before
    bare = seconds(lambda: ask(next_hour(hour + 5_000)))
    assert UsageLine.objects.count() - before == rows + 2 * machines
    return Pair(what, rows, farm, bare)


def close_beside(machines: int, payers: int) -> Pair:
    """A month of lines closed, and summed by statements."""
    from bench.fleet import BEGAN, HOURS
    from farm.billing.bills import close_month, over_at
    from farm.billing.ledger import unequal
    from farm.billing.models import Payer
    from farm.billing.rule import month_of

    month = month_of(BEGAN)
    bare = sum(seconds(lambda text=text: ask(text)) for text in SUMS)
    farm = seconds(lambda: close_month(month, over_at(month)))
    assert not unequal()
    billed = Payer.objects.filter(kind=Payer.Kind.INVOICE, bills__net_cents__gt=0).count()
    assert billed == payers, f"{billed} of {payers} payers have a bill"
    return Pair("the month's close", 2 * machines * HOURS, farm, bare)


def seconds(deed: Callable[[], object]) -> float:
    """How long it took."""
    began = time.perf_counter()
    deed()
    return time.perf_counter() - began


def ask(statement: str) -> None:
    """One statement."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)


def empty_lines() -> None:
    """None is written; the database itself lets nobody delete one."""
    ask("TRUNCATE billing_usageline")


@contextmanager
def empty_database() -> Iterator[None]:
    """With all tables, and gone afterwards."""
    from django.test.utils import get_runner

    runner = get_runner(django.conf.settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        yield
    finally:
        runner.teardown_databases(databases)


@contextmanager
def postgres() -> Iterator[None]:
    """The one that DATABASE_URL names, or one that ends with this."""
    if os.environ.get("DATABASE_URL"):
        yield
        return
    from tests.pairs.servers import servers

    with servers() as own:
        os.environ["DATABASE_URL"] = own.database_url
        yield


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "farm.settings")
    with postgres():
        django.setup()
        from django.test.utils import setup_test_environment

        setup_test_environment()
        words = [int(word) for word in sys.argv[1:3]]
        main(*(words or [MACHINES]), *([] if len(words) == 2 else [PAYERS]))
