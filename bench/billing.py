"""The meter's run beside the obvious way: python -m bench.billing [SERVERS] [HOURS].

Writes every hour of a fleet into a fresh SQLite database (or the one of DATABASE_URL, in a test
database of its own), prints queries and seconds, then does the same for a twentieth of it with one
get_or_create per hour and kind.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "farm.settings")
django.setup()

from django.db import connection  # noqa: E402
from django.db.models import Sum  # noqa: E402
from django.test.utils import get_runner, setup_test_environment  # noqa: E402

from farm.accounts.models import User  # noqa: E402
from farm.accounts.services import account_of  # noqa: E402
from farm.agents.models import Server  # noqa: E402
from farm.agents.reconciler.metering import meter  # noqa: E402
from farm.agents.stays import stay_of  # noqa: E402
from farm.billing.append_only import unguard_lines  # noqa: E402
from farm.billing.models import PriceRow, UsageLine  # noqa: E402
from farm.billing.payers import assignment_at  # noqa: E402
from farm.billing.rule import HOUR, month_of  # noqa: E402
from tests.farm.billing.scenes import agent_of, machine_of, swept  # noqa: E402

Measured = tuple[int, Counter[str], float]
"""Lines written, queries by their first word, seconds."""
BEGAN = datetime(2026, 11, 2, 0, 0, tzinfo=UTC)


def fleet(servers: int) -> None:
    """So many agents with a machine each, of one person."""
    owner = User.objects.create(email="bench@example.org")
    account = account_of(user=owner)
    for number in range(servers):
        agent = agent_of(owner, account, f"a{number}", BEGAN)
        machine_of(agent, created=BEGAN, serving=BEGAN)


@contextmanager
def counting() -> Iterator[Counter[str]]:
    """Every query, by its first word."""
    seen: Counter[str] = Counter()

    def count(execute: Callable[..., object], sql: str, *rest: object) -> object:
        seen[sql.split(maxsplit=1)[0]] += 1
        return execute(sql, *rest)

    with connection.execute_wrapper(count):
        yield seen


def run(now: datetime) -> Measured:
    """One run of the meter: lines, queries, seconds."""
    swept(now)
    before, began = UsageLine.objects.count(), time.perf_counter()
    with counting() as seen:
        meter(now)
    took = time.perf_counter() - began
    return UsageLine.objects.count() - before, seen, took


def naive(servers: int, hours: int) -> Measured:
    """What one writes first: a look at payer, price and cap, and a get_or_create, for each line."""
    began, lines = time.perf_counter(), 0
    with counting() as seen:
        for server in Server.objects.select_related("agent")[:servers]:
            for index in range(hours):
                for kind in ("server", "ipv4"):
                    _naive_line(server, index, kind)
                    lines += 1
    return lines, seen, time.perf_counter() - began


def _naive_line(server: Server, index: int, kind: str) -> None:
    stay = stay_of(server, None)
    assert stay is not None
    at = stay.created_at + index * HOUR
    price = PriceRow.objects.filter(server_uid=server.uid, kind=kind).earliest("valid_from")
    bearer = assignment_at(stay.agent_uid, at)
    assert bearer is not None
    spent = UsageLine.objects.filter(server_uid=server.uid, kind=kind, month=month_of(at))
    so_far = spent.aggregate(sum=Sum("cloud_micros"))["sum"] or 0
    left = (price.monthly_micros or 0) - so_far
    micros = max(0, min(price.hourly_micros, left))
    UsageLine.objects.get_or_create(
        server_uid=server.uid,
        hour_index=index,
        kind=kind,
        defaults={
            "began_at": at,
            "month": month_of(at),
            "agent_uid": stay.agent_uid,
            "payer": bearer.payer,
            "micros": micros,
            "cloud_micros": micros,
            "currency": price.currency,
            "price": price,
            "capped": micros < price.hourly_micros,
        },
    )


def show(what: str, found: Measured) -> float:
    """Print one measurement; seconds per thousand lines."""
    lines, queries, seconds = found
    each = 1_000 * seconds / max(1, lines)
    asked = f"{queries['SELECT']:>6} reads {queries['INSERT']:>5} writes"
    print(f"{what:<34} {lines:>6} lines {asked} {seconds:>7.2f} s {each:>8.3f} s/1000 lines")
    return each


def main(servers: int, hours: int) -> None:
    """The table."""
    fleet(servers)
    end = BEGAN + (hours + 1) * HOUR
    first = show(f"meter: {servers} machines, {hours + 1} h late", run(end))
    show("meter: again, nothing new", run(end))
    show("meter: an hour later", run(end + HOUR + timedelta(minutes=2)))
    unguard_lines("default")
    UsageLine.objects.all().delete()
    some = max(1, servers // 20)
    slow = show(f"row by row: {some} machines, {hours} h", naive(some, hours))
    print(f"row by row takes {slow / first:.0f} times as long for each line")


if __name__ == "__main__":
    setup_test_environment()
    runner = get_runner(django.conf.settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        main(*(int(word) for word in (*sys.argv[1:], "1000", "24")[:2]))
    finally:
        runner.teardown_databases(databases)
