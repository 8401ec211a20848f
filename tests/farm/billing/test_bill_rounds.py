"""Months are closed by themselves: in order, once clouds were read, at the hour that is set."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from farm.agents.models import Server
from farm.agents.reconciler.bill_rounds import all_seen, closes_at
from farm.agents.reconciler.driving import BILL_ROUNDS
from farm.billing.bill_rows import Bill, BillRound
from farm.billing.bills import trouble
from farm.billing.models import UsageLine
from farm.billing.rule import begin_of, next_month
from farm.billing.statements import month_before
from tests.farm.billing.bill_scenes import NOVEMBER, trusted, used
from tests.farm.billing.scenes import agent_of, machine_of, swept
from tests.farm.web.scenes import people

pytestmark = pytest.mark.django_db


def last_month() -> date:
    """The last one that is over."""
    return month_before(timezone.now().astimezone(UTC).date().replace(day=1))


def look() -> BillRound:
    """One round, now."""
    now = timezone.now()
    BillRound.objects.update_or_create(pk=1, defaults={"due_at": now})
    for job in list(BILL_ROUNDS.jobs(timezone.now())):
        job.work(lambda claim: None)
    return BillRound.objects.get()


def machine(began: datetime) -> Server:
    """One that serves since then."""
    us = people()
    agent = agent_of(us.bob, us.account, "Ada", began)
    return machine_of(agent, created=began, serving=began)


def set_hour(settings: Settings, ago: timedelta) -> None:
    """So long ago the last month might be closed."""
    since = timezone.now() - begin_of(next_month(last_month()))
    settings.BILL_HOUR = (since - ago) // timedelta(hours=1)


def test_the_last_month_is_closed_once() -> None:
    used(trusted(), "ada", 3_000_000, last_month())
    row = look()
    assert (row.closed_to, row.trouble, Bill.objects.count()) == (last_month(), "", 1)
    assert row.due_at is not None
    assert abs(row.due_at - closes_at(next_month(last_month()))) < timedelta(minutes=5)
    look()
    assert Bill.objects.count() == 1


def test_months_that_were_missed_are_closed_in_order() -> None:
    payer = trusted()
    third = month_before(month_before(last_month()))
    type(payer).objects.update(created_at=begin_of(third))
    BillRound.objects.create(closed_to=month_before(third), due_at=timezone.now())
    used(payer, "ada", 3_004_000, third)
    assert look().closed_to == last_month()
    bills = list(Bill.objects.order_by("month"))
    assert [bill.month for bill in bills] == [third, next_month(third), last_month()]
    assert [bill.carried_micros for bill in bills] == [4_000, 4_000, 4_000]


def test_it_waits_for_its_hour(settings: Settings) -> None:
    used(trusted(), "ada", 3_000_000, last_month())
    set_hour(settings, -timedelta(hours=2))
    row = look()
    assert (row.closed_to, Bill.objects.count()) == (None, 0)
    assert row.due_at is not None
    assert timezone.now() < row.due_at < timezone.now() + timedelta(hours=3)


def test_it_waits_for_a_cloud_that_was_not_read_since(settings: Settings) -> None:
    payer = trusted()
    end = begin_of(next_month(last_month()))
    machine(end - timedelta(hours=3))
    used(payer, "ada", 3_000_000, last_month())
    swept(end + timedelta(minutes=59))
    set_hour(settings, timedelta(days=2))
    row = look()
    assert (row.closed_to, Bill.objects.count()) == (None, 0)
    assert trouble(timezone.now()) == row.trouble != ""
    swept(timezone.now())
    row = look()
    assert (row.closed_to, row.trouble, trouble(timezone.now())) == (last_month(), "", "")
    assert UsageLine.objects.filter(began_at__gte=end - timedelta(hours=3)).exists()


def test_a_cloud_that_is_silent_for_days_holds_nothing_up(settings: Settings) -> None:
    end = begin_of(next_month(last_month()))
    machine(end - timedelta(hours=3))
    swept(end)
    trusted()
    set_hour(settings, timedelta(days=4))
    assert look().closed_to == last_month()


def test_what_is_gone_or_began_later_is_waited_for_by_nobody() -> None:
    end = begin_of(next_month(NOVEMBER))
    server = machine(end - timedelta(hours=3))
    swept(end - timedelta(hours=1))
    assert not all_seen(NOVEMBER)
    Server.objects.filter(pk=server.pk).update(gone_at=end - timedelta(hours=2))
    assert all_seen(NOVEMBER)
    Server.objects.filter(pk=server.pk).update(gone_at=None, created_at=end)
    assert all_seen(NOVEMBER)


def test_no_month_is_closed_before_its_last_hours_are_written(settings: Settings) -> None:
    settings.BILL_HOUR = 0
    assert closes_at(NOVEMBER) == datetime(2026, 12, 1, 2, tzinfo=UTC)
    settings.BILL_HOUR = 9
    assert closes_at(NOVEMBER) == datetime(2026, 12, 1, 9, tzinfo=UTC)
