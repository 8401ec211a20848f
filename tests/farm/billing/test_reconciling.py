"""Lines against machines and prices: equal for what was metered, and each fault named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from django.db import connection

from farm.agents.inventory import inventory_at
from farm.agents.models import Server
from farm.agents.reconciler.metering import meter
from farm.agents.reconciler.reconciliations import reconcile, reconcile_day
from farm.billing.append_only import LINES, guard_lines, unguard_lines
from farm.billing.difference_words import as_row, sentence_of
from farm.billing.differences import differences
from farm.billing.models import Cause, Kind, PriceRow, UsageLine
from farm.billing.prices import Rate, reprice_server
from farm.billing.reconciliation_rows import Difference, Side
from farm.billing.reconciling import Gap
from tests.farm.billing.scenes import NOON, agent_of, machine_of, swept
from tests.farm.web.scenes import People, people

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOON + timedelta(days=40)
"""When all of November, and some of December, is over."""


@pytest.fixture
def us() -> People:
    """Alice, Bob and Charlie."""
    return people()


def lives(us: People) -> list[Server]:
    """A month of all sorts: long, short, resized, gone in its first minute, over a month's end."""
    ada = agent_of(us.bob, us.account, "Ada")
    whole = machine_of(ada, serving=NOON)
    eve = agent_of(us.alice, us.account, "Eve")
    short = machine_of(eve, serving=NOON, gone=NOON + timedelta(minutes=1))
    over = NOON + timedelta(days=26, minutes=7)
    late = machine_of(eve, created=over, serving=over, gone=over + timedelta(days=9, seconds=3))
    reprice_server(
        server_uid=whole.uid,
        at=NOON + timedelta(days=12, hours=1, minutes=3),
        server=Rate(12_800, 7_990_000, "EUR"),
        counts_anew=True,
    )
    nobodys = machine_of(None, created=over, gone=over + timedelta(hours=5))
    return [whole, short, late, nobodys]


def gaps(now: datetime = LATER, month: date | None = None) -> list[Gap]:
    """What differs, sorted."""
    return list(reconcile(now, month).outcome.gaps)


def test_what_was_metered_is_what_machines_must_cost(us: People) -> None:
    lives(us)
    swept(LATER)
    meter(LATER)
    look = reconcile(LATER)
    assert look.outcome.gaps == ()
    assert (len(look.outcome.compared), len(look.outcome.waiting)) == (4, 0)
    assert UsageLine.objects.filter(capped=True).exists()
    assert not Difference.objects.exists()


def test_a_missing_line_is_named_once_and_gone_when_it_is_there(us: People) -> None:
    whole = lives(us)[0]
    swept(LATER)
    meter(LATER)
    lost = UsageLine.objects.get(server_uid=whole.uid, kind=Kind.SERVER, hour_index=30)
    tampered(lambda: UsageLine.objects.filter(pk=lost.pk).delete())
    (found,) = gaps(month=date(2026, 11, 1))
    assert (found.subject, found.kind, found.ours.hours) == (whole.uid, Kind.SERVER, 660)
    assert (found.other_hours, found.other.micros - found.ours.micros) == (661, 6_400)
    words = sentence_of(as_row(found))
    assert whole.uid in words
    assert "661 h" in words
    assert differences().count() == 1
    gaps()
    assert differences().count() == 1
    lost.save(force_insert=True)
    gaps()
    assert not differences().exists()
    assert Difference.objects.exclude(gone_at=None).count() == 1


def test_a_wrong_price_is_named(us: People) -> None:
    whole = lives(us)[0]
    swept(LATER)
    meter(LATER)
    price = PriceRow.objects.filter(server_uid=whole.uid, kind=Kind.IPV4)
    price.update(hourly_micros=700)
    found = {(gap.subject, gap.kind, gap.month) for gap in gaps()}
    assert (whole.uid, Kind.IPV4, date(2026, 11, 1)) in found


def test_a_line_of_a_machine_that_never_was_is_named(us: People) -> None:
    whole = lives(us)[0]
    swept(LATER)
    meter(LATER)
    UsageLine.objects.create(
        server_uid="nosuchserver",
        hour_index=0,
        kind=Kind.SERVER,
        began_at=NOON,
        month=date(2026, 11, 1),
        micros=0,
        cloud_micros=6_400,
        currency="EUR",
        price=PriceRow.objects.filter(server_uid=whole.uid)[0],
        capped=False,
        cause=Cause.NOBODY,
    )
    (found,) = gaps()
    assert (found.subject, found.provider, found.ours.micros) == ("nosuchserver", "", 6_400)
    assert "no machine" in sentence_of(as_row(found))


def test_what_its_cloud_was_not_asked_about_since_waits(us: People) -> None:
    machine_of(agent_of(us.bob, us.account, "Ada"), serving=NOON)
    seen = LATER - timedelta(days=9)
    swept(seen)
    meter(LATER)
    look = reconcile(LATER)
    assert look.outcome.gaps == ()
    assert len(look.outcome.waiting) == 1


def test_a_day_by_itself(us: People) -> None:
    whole = lives(us)[0]
    swept(LATER)
    meter(LATER)
    day = date(2026, 11, 17)
    assert reconcile_day(day, LATER).outcome.gaps == ()
    that = UsageLine.objects.filter(server_uid=whole.uid, began_at__date=day, kind=Kind.SERVER)
    tampered(lambda: that.filter(pk=that.order_by("pk")[0].pk).delete())
    found = [gap for gap in reconcile_day(day, LATER).outcome.gaps if gap.side is Side.INVENTORY]
    assert [(gap.subject, gap.ours.hours, gap.other_hours) for gap in found] == [
        (whole.uid, 23, 24)
    ]
    assert reconcile_day(date(2026, 11, 18), LATER).outcome.gaps == ()


def test_the_second_count_does_not_use_the_first(us: People) -> None:
    """A machine that is gone is charged to its end, whatever the farm saw."""
    whole = lives(us)[2]
    known = {thing.uid: thing for thing in inventory_at(LATER, LATER).things}
    assert known[whole.uid].until == whole.gone_at


def tampered(act: Callable[[], object]) -> None:
    """Do what the database lets nobody do."""
    if connection.vendor == "sqlite":
        unguard_lines("default")
    else:
        _switch_guards("DISABLE")
    try:
        act()
    finally:
        guard_lines(using="default")
        if connection.vendor != "sqlite":
            _switch_guards("ENABLE")


def _switch_guards(verb: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {LINES} {verb} TRIGGER USER")
