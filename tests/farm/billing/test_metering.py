"""The meter's lines: each hour once, whoever writes it, and nobody touches it again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
from django.db import Error, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from farm.accounts.services import account_of
from farm.agents.models import Meter, Server
from farm.agents.reconciler.driving import drive_due
from farm.agents.reconciler.metering import ensure_meter, meter
from farm.billing.models import Cause, Payer, UsageLine
from farm.billing.payers import assign, default_payer
from tests.farm.billing.scenes import HOURLY, NOON, agent_of, hours_ago, machine_of, swept
from tests.farm.web.scenes import People, people, person

HOUR = timedelta(hours=1)


@pytest.fixture
def us(db: None) -> People:
    """Alice, Bob and Charlie."""
    return people()


def metered(at: datetime) -> None:
    """The cloud's list is read, and the meter runs a little later."""
    swept(at)
    meter(at)


def lines() -> Sequence[tuple[object, ...]]:
    """Everything that is written, without the rows' own numbers."""
    fields = [field.attname for field in UsageLine._meta.fields if field.attname != "id"]
    return sorted(UsageLine.objects.values_list(*fields))


def test_an_hour_is_written_once_it_is_over_and_then_never_again(us: People) -> None:
    agent = agent_of(us.alice, us.account)
    machine_of(agent, created=NOON, serving=NOON + timedelta(minutes=3))
    metered(NOON + timedelta(minutes=59))
    assert lines() == []
    metered(NOON + timedelta(minutes=62))
    once = lines()
    assert len(once) == 2
    for _ in range(3):
        metered(NOON + timedelta(minutes=63))
    assert lines() == once


def test_a_line_names_who_pays_for_whom_and_by_which_price(us: People) -> None:
    agent = agent_of(us.bob, us.account)
    server = machine_of(agent, created=NOON, serving=NOON)
    metered(NOON + 2 * HOUR)
    line = UsageLine.objects.get(kind="server", hour_index=0)
    assert (line.server_uid, line.agent_uid, line.agent_name) == (server.uid, agent.uid, "Ada")
    assert line.payer == default_payer(us.account)
    assert (line.person_uid, line.person_email) == (us.bob.username, us.bob.email)
    assert (line.micros, line.cloud_micros, line.currency) == (6_400, 6_400, "EUR")
    assert line.price.server_uid == server.uid
    assert UsageLine.objects.get(kind="ipv4", hour_index=0).micros == 800


def test_a_payer_changes_from_the_next_full_hour(us: People) -> None:
    agent = agent_of(us.alice, us.account)
    machine_of(agent, created=NOON + timedelta(minutes=40), serving=NOON)
    other = Payer.objects.create(account=us.account, name="Sales", created_at=NOON)
    assign(
        agent_uid=agent.uid,
        agent_name=agent.name,
        payer=other,
        cost_centre="4711",
        person=us.alice,
        monthly_micros=0,
        at=NOON + timedelta(hours=2, minutes=10),
    )
    metered(NOON + 6 * HOUR)
    paid = UsageLine.objects.filter(kind="server").order_by("hour_index")
    names = [(line.payer.name if line.payer else "", line.cost_centre) for line in paid]
    assert names == [(us.account.name, "")] * 3 + [("Sales", "4711")] * 2


def test_a_machine_that_never_served_is_the_farms(us: People) -> None:
    machine_of(agent_of(us.alice, us.account), gone=NOON + timedelta(minutes=90))
    metered(NOON + 2 * HOUR)
    written = UsageLine.objects.all()
    assert {(line.payer, line.micros, line.cause) for line in written} == {(None, 0, Cause.BEFORE)}
    assert sum(line.cloud_micros for line in written) == 2 * HOURLY


def test_a_machine_for_nobody_is_the_farms(us: People) -> None:
    machine_of(None, gone=NOON + timedelta(minutes=30))
    metered(NOON + HOUR)
    assert {line.cause for line in UsageLine.objects.all()} == {Cause.POOL}


def test_a_machine_that_ended_is_written_to_the_end_and_looked_at_no_more(us: People) -> None:
    server = machine_of(
        agent_of(us.alice, us.account), serving=NOON, gone=NOON + timedelta(minutes=30)
    )
    meter(NOON + timedelta(minutes=32))
    assert UsageLine.objects.count() == 2
    server.refresh_from_db()
    assert server.metered
    assert meter(NOON + 9 * HOUR) == 0


def test_nothing_is_written_of_hours_after_the_clouds_list_was_read(us: People) -> None:
    machine_of(agent_of(us.alice, us.account), serving=NOON)
    swept(NOON + timedelta(minutes=90))
    meter(NOON + 9 * HOUR)
    assert UsageLine.objects.filter(kind="server").count() == 2


def test_an_agent_from_before_there_were_payers_is_paid_by_its_account(us: People) -> None:
    from_before = agent_of(us.charlie, account_of(user=us.charlie), "Bea")
    from_before.uid = "nobodyknows2"
    from_before.save()
    machine_of(from_before, serving=NOON)
    metered(NOON + 2 * HOUR)
    written = UsageLine.objects.filter(agent_uid="nobodyknows2")
    assert {line.payer for line in written} == {default_payer(from_before.account)}


@pytest.mark.parametrize("run", ["meter", "twice at once"])
@pytest.mark.django_db(transaction=True)
def test_runs_side_by_side_write_what_one_run_writes(run: str) -> None:
    us = people()
    for number in range(3):
        owner = person(f"p{number}")
        machine_of(agent_of(owner, us.account, f"A{number}"), created=NOON, serving=NOON)
    end = NOON + 640 * HOUR
    swept(end)
    if run == "twice at once":
        _in_threads(lambda: meter(end), 3)
    meter(end)
    written = UsageLine.objects.all()
    assert len(written) == 3 * 2 * 639
    assert sum(line.micros for line in written) == sum(line.cloud_micros for line in written)
    assert UsageLine.objects.filter(micros=0, capped=True).exists()


def _in_threads(work: Callable[[], object], many: int) -> None:
    troubles: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except Error as trouble:
            troubles.append(trouble)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert troubles == []


def test_a_run_reads_as_often_for_many_machines_as_for_one(us: People) -> None:
    def reads(hours: int) -> int:
        swept(NOON + hours * HOUR)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            meter(NOON + hours * HOUR)
        return sum(query["sql"].startswith("SELECT") for query in seen.captured_queries)

    machine_of(agent_of(us.alice, us.account), serving=NOON)
    one = reads(2)
    for number in range(20):
        machine_of(agent_of(person(f"q{number}"), us.account), serving=NOON)
    assert reads(4) == one


def _update() -> None:
    UsageLine.objects.update(micros=0)


def _delete() -> None:
    UsageLine.objects.all().delete()


def _delete_raw() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM billing_usageline")


@pytest.mark.parametrize("deed", [_update, _delete, _delete_raw])
def test_the_database_lets_nobody_touch_a_line(us: People, deed: Callable[[], None]) -> None:
    machine_of(agent_of(us.alice, us.account), serving=NOON)
    metered(NOON + 2 * HOUR)
    written = lines()
    with pytest.raises(Error, match="never changed or deleted"), transaction.atomic():
        deed()
    assert lines() == written


def test_an_hour_cannot_be_written_twice_by_anybody(us: People) -> None:
    machine_of(agent_of(us.alice, us.account), serving=NOON)
    metered(NOON + 2 * HOUR)
    again = UsageLine.objects.all()[0]
    again.pk = None
    with pytest.raises(Error), transaction.atomic():
        again.save(force_insert=True)


def test_the_worker_has_the_meter_run(us: People) -> None:
    machine_of(agent_of(us.alice, us.account), created=hours_ago(3), serving=hours_ago(3))
    swept(hours_ago(0))
    Server.objects.update(due_at=None)
    ensure_meter(hours_ago(0))
    assert drive_due(hours_ago(-0.01)) >= 1
    assert UsageLine.objects.count() == 2 * 2
    row = Meter.objects.get()
    assert row.ran_at is not None
    assert row.due_at is not None
    assert row.due_at > row.ran_at
