"""The ledger: each day of use posted once, and nothing posted is ever touched."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.db import Error, connection, transaction

from farm.agents.models import Meter
from farm.agents.reconciler.driving import drive_due
from farm.agents.reconciler.metering import ensure_meter, meter
from farm.billing.ai_rows import AiDay
from farm.billing.append_only import REFUSALS, guard_lines, unguard_lines
from farm.billing.ledger import is_due, post, unequal
from farm.billing.ledger_rows import Book, LedgerAccount, Transfer
from farm.billing.payers import default_payer
from tests.farm.billing.scenes import NOON, agent_of, hours_ago, machine_of, swept
from tests.farm.web.scenes import People, people

HOUR = timedelta(hours=1)
NIGHT = NOON + 63 * HOUR
"""Three days are over by then."""


@pytest.fixture
def us(db: None) -> People:
    """Alice, Bob and Charlie, and an agent that has run since noon."""
    three = people()
    machine_of(agent_of(three.alice, three.account), serving=NOON)
    metered(66)
    return three


def metered(hours: int) -> None:
    swept(NOON + hours * HOUR)
    meter(NOON + hours * HOUR)


def used(us: People, micros: int) -> None:
    """AI of one day."""
    AiDay.objects.update_or_create(
        agent_uid="agent",
        agent_name="Ada",
        day=NOON.date(),
        payer_uid=default_payer(us.account).uid,
        provider="anthropic",
        model="m",
        defaults={"cost_micros": micros},
    )


def balance(book: Book) -> int:
    return LedgerAccount.objects.get(book=book).balance_micros


def test_each_day_that_is_over_is_posted_once(us: People) -> None:
    assert is_due(NIGHT)
    assert post(NIGHT) == 6
    assert not is_due(NIGHT)
    assert post(NIGHT) == 0
    assert is_due(NIGHT + 24 * HOUR)
    assert balance(Book.PAYER) == 60 * 7_200


def test_what_comes_late_is_another_transfer_of_its_day(us: People) -> None:
    post(NIGHT)
    first = list(Transfer.objects.order_by("pk").values_list())
    machine_of(agent_of(us.bob, us.account, "Bea"), serving=NOON, gone=NOON + HOUR)
    metered(67)
    assert post(NIGHT + HOUR) == 2
    late = Transfer.objects.order_by("-pk")[:2]
    assert {(one.day, one.number, one.amount_micros) for one in late} == {(NOON.date(), 2, 7_200)}
    assert list(Transfer.objects.order_by("pk").values_list())[: len(first)] == first
    assert unequal() == []


def test_what_was_too_much_is_taken_back_by_a_transfer_the_other_way(us: People) -> None:
    used(us, 500)
    post(NIGHT)
    used(us, 300)
    assert post(NIGHT + HOUR) == 1
    back = Transfer.objects.latest("pk")
    assert (back.debit.book, back.credit.book, back.amount_micros) == (Book.AI, Book.PAYER, 200)
    assert balance(Book.AI) == -300
    assert post(NIGHT + 2 * HOUR) == 0


def test_what_payers_owe_and_what_the_clouds_are_owed_stand_side_by_side(us: People) -> None:
    machine_of(None, created=NOON, gone=NOON + 3 * HOUR)
    metered(67)
    post(NIGHT)
    assert balance(Book.COST) == -balance(Book.CLOUDS)
    assert balance(Book.PAYER) == -balance(Book.MACHINES)
    assert balance(Book.COST) - balance(Book.PAYER) == 3 * 7_200
    rows = LedgerAccount.objects.values_list("balance_micros", flat=True)
    assert sum(rows) == 0


def test_a_running_total_that_is_not_the_sum_is_found(us: People) -> None:
    post(NIGHT)
    assert unequal() == []
    LedgerAccount.objects.filter(book=Book.PAYER).update(balance_micros=1)
    (found,) = unequal()
    assert found.running == 1
    assert found.summed == -balance(Book.MACHINES)


def test_the_worker_posts_once_a_day(us: People) -> None:
    machine_of(agent_of(us.bob, us.account, "Bea"), created=hours_ago(50), serving=hours_ago(50))
    swept(hours_ago(0))
    ensure_meter(hours_ago(0))
    drive_due(hours_ago(-0.01))
    posted = Transfer.objects.count()
    assert posted > 0
    Meter.objects.update(due_at=hours_ago(0))
    drive_due(hours_ago(-0.01))
    assert Transfer.objects.count() == posted


def _update() -> None:
    Transfer.objects.update(amount_micros=1)


def _delete() -> None:
    Transfer.objects.all().delete()


def _another_currency() -> None:
    one = Transfer.objects.earliest("pk")
    one.pk, one.number, one.currency = None, 9, "USD"
    one.save(force_insert=True)


def _the_same_day_again() -> None:
    one = Transfer.objects.earliest("pk")
    one.pk = None
    one.save(force_insert=True)


@pytest.mark.parametrize("deed", [_update, _delete, _another_currency, _the_same_day_again])
def test_the_database_refuses(us: People, deed: Callable[[], None]) -> None:
    post(NIGHT)
    before = list(Transfer.objects.order_by("pk").values_list())
    with pytest.raises(Error), transaction.atomic():
        deed()
    assert list(Transfer.objects.order_by("pk").values_list()) == before


def _guarded() -> set[str]:
    names = (
        "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'"
        if connection.vendor == "sqlite"
        else "SELECT event_object_table FROM information_schema.triggers"
    )
    with connection.cursor() as cursor:
        cursor.execute(names)
        return {str(table) for (table,) in cursor.fetchall()}


def test_every_migration_leaves_the_guards_in_place(db: None) -> None:
    guard_lines(using="default")
    assert _guarded() >= set(REFUSALS)
    unguard_lines("default")
    call_command("migrate", verbosity=0)
    assert _guarded() >= set(REFUSALS)


def test_days_of_last_month_are_posted_too(us: People) -> None:
    metered(24 * 40)
    post(NOON + 24 * 40 * HOUR)
    days = set(Transfer.objects.values_list("day", flat=True))
    assert min(days) == date(2026, 11, 3)
    assert max(days) == date(2026, 12, 12)
