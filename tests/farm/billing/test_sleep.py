"""What sleep costs: copies of disks by the gigabyte, hour by hour, until they are gone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from farm.agents.models import Agent, AgentPhase, DiskCopy, Offer, Server
from farm.agents.reconciler.metering import meter
from farm.agents.selectors import asleep_rate, cost_of, member_month
from farm.billing.clouds import cloud_cost
from farm.billing.forecasts import to_come
from farm.billing.models import Cause, PriceRow, UsageLine
from farm.billing.prices import Rate, reprice_server
from farm.billing.rule import month_of
from tests.farm.billing.scenes import NOON, agent_of, machine_of, offer, swept
from tests.farm.web.scenes import People, people

HOUR = timedelta(hours=1)
TERABYTE = 14_300_000
"""Of Hetzner: 0.0143 EUR for a GB and month."""


@pytest.fixture
def us(db: None) -> People:
    """Alice, Bob and Charlie, and a cloud whose prices are known."""
    offer("cx23", 6_400)
    return people()


def copy_of(
    server: Server,
    *,
    created: datetime,
    gigabytes: float | None = 2.345,
    gone: datetime | None = None,
) -> DiskCopy:
    assert server.agent
    return DiskCopy.objects.create(
        server=server,
        agent=server.agent,
        provider=server.provider,
        asked_at=created,
        phase_since=created,
        created_at=created,
        gigabytes=gigabytes,
        gone_at=gone,
    )


def asleep(us: People, since: datetime = NOON) -> tuple[Agent, Server]:
    """An agent whose machine went two hours after it was made, at `since`."""
    agent = agent_of(us.alice, us.account, at=since - 2 * HOUR)
    server = machine_of(agent, created=since - 2 * HOUR, serving=since - 2 * HOUR, gone=since)
    Agent.objects.update(phase=AgentPhase.STOPPED)
    agent.refresh_from_db()
    return agent, server


def kept(copy: DiskCopy) -> Sequence[UsageLine]:
    return list(UsageLine.objects.filter(server_uid=copy.uid).order_by("hour_index"))


def test_a_copys_hours_share_its_months_price_to_the_micro(us: People) -> None:
    _, server = asleep(us)
    copy = copy_of(server, created=NOON, gone=datetime(2026, 12, 3, 7, 20, tzinfo=UTC))
    meter(NOON + timedelta(days=60))
    monthly = round(2.345 * TERABYTE / 1_000)
    hours = {month: sum(line.month.month == month for line in kept(copy)) for month in (11, 12)}
    assert hours == {11: 28 * 24 - 12, 12: 2 * 24 + 8}
    for month, length in ((11, 720), (12, 744)):
        charged = sum(line.cloud_micros for line in kept(copy) if line.month.month == month)
        assert charged == (2 * monthly * hours[month] + length) // (2 * length)
    assert {line.capped for line in kept(copy)} == {False}


def test_a_copy_is_charged_to_the_agents_payer_until_the_agent_is_awake(us: People) -> None:
    agent, server = asleep(us)
    copy = copy_of(server, created=NOON, gone=NOON + timedelta(minutes=200))
    woken = machine_of(agent, created=NOON + 2 * HOUR, serving=NOON + timedelta(minutes=130))
    Server.objects.filter(pk=woken.pk).update(made_from=copy)
    swept(NOON + timedelta(days=1))
    meter(NOON + timedelta(days=1))
    assert [line.cause for line in kept(copy)] == ["", "", "", Cause.LEAVING]
    assert {line.agent_uid for line in kept(copy)} == {agent.uid}
    assert [line.payer is None for line in kept(copy)] == [False, False, False, True]
    copy.refresh_from_db()
    assert copy.metered


def test_a_copy_is_priced_when_its_size_is_known_and_never_again(us: People) -> None:
    _, server = asleep(us)
    copy = copy_of(server, created=NOON, gigabytes=None)
    swept(NOON + 5 * HOUR)
    meter(NOON + 5 * HOUR)
    assert kept(copy) == []
    DiskCopy.objects.update(gigabytes=10.0)
    meter(NOON + 5 * HOUR)
    Offer.objects.update(copy_terabyte_monthly_micros=99 * TERABYTE)
    swept(NOON + 9 * HOUR)
    meter(NOON + 9 * HOUR)
    assert [row.monthly_micros for row in PriceRow.objects.filter(server_uid=copy.uid)] == [143_000]
    assert len(kept(copy)) == 8


def test_a_copy_without_a_monthly_price_costs_each_hour_the_same(us: People) -> None:
    Offer.objects.update(copy_terabyte_hourly_micros=40_000, copy_terabyte_monthly_micros=None)
    _, server = asleep(us)
    copy = copy_of(server, created=NOON, gigabytes=10.0, gone=NOON + 3 * HOUR)
    meter(NOON + 5 * HOUR)
    assert [line.cloud_micros for line in kept(copy)] == [400] * 3


def test_a_copy_that_never_came_about_costs_nothing_and_is_done_with(us: People) -> None:
    _, server = asleep(us)
    copy = copy_of(server, created=NOON, gigabytes=None, gone=NOON + HOUR)
    meter(NOON + 5 * HOUR)
    copy.refresh_from_db()
    assert copy.metered
    assert kept(copy) == []


def test_a_sleeping_agents_page_tells_what_its_sleep_costs(us: People) -> None:
    agent, server = asleep(us)
    copy_of(server, created=NOON)
    at_most = asleep_rate(agent)
    assert at_most == Rate(784, 572_000, "EUR")
    meter(NOON + HOUR)
    cost = cost_of(agent, NOON + 10 * HOUR)
    assert cost.hourly_micros == 46
    assert cost.free_reason is None
    assert cost.so_far_micros == member_month(us.alice, us.account, NOON + 10 * HOUR).machine
    assert cost.so_far_micros > 2 * 7_200
    assert member_month(us.alice, us.account, NOON + 10 * HOUR).agents[0].saves == 33_534
    assert cloud_cost(month_of(NOON)).cloud == 2 * 7_200


def test_the_cap_of_the_agent_holds_for_machines_and_copies_together(us: People) -> None:
    agent, server = asleep(us)
    Offer.objects.update(copy_terabyte_monthly_micros=10**12)
    copy_of(server, created=NOON, gone=NOON + timedelta(days=20))
    meter(NOON + timedelta(days=21))
    charged = sum(line.micros for line in UsageLine.objects.filter(agent_uid=agent.uid))
    assert charged == agent.agreed_monthly_micros
    assert UsageLine.objects.filter(cause=Cause.OVER_CAP).exists()


def test_a_forecast_has_what_sleeps_at_what_its_sleep_costs(us: People) -> None:
    _, server = asleep(us)
    copy = copy_of(server, created=NOON, gigabytes=10.0)
    meter(NOON)
    month = month_of(NOON)
    assert to_come([copy.uid], (), month, 720) == 143_000
    assert to_come([copy.uid], (), month, 72) == 14_300
    other = machine_of(agent_of(us.bob, us.account, "Bea"), created=NOON, serving=NOON)
    assert to_come([other.uid], (), month, 10) == 10 * 7_200
    assert to_come([other.uid], {other.uid}, month, 10) == 10 * 800
    swept(NOON + 600 * HOUR)
    meter(NOON + 600 * HOUR)
    left = 3_990_000 - 599 * 6_400 + 500_000 - 599 * 800
    assert to_come([other.uid], (), month, 60) == left
    reprice_server(
        server_uid=other.uid,
        at=NOON + 599 * HOUR,
        server=Rate(13_600, 8_490_000, "EUR"),
        counts_anew=True,
    )
    assert to_come([other.uid], (), month, 60) == 60 * 13_600 + 500_000 - 599 * 800
