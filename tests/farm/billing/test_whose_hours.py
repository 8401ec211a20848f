"""Whose an hour is: the pool's, a successor's, its payer's; and what an agent may cost by date."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from farm.agents.models import Agent, Server
from farm.agents.reconciler.metering import meter
from farm.agents.reconciler.server_types import note_types
from farm.billing.limits import committed
from farm.billing.models import Cause, UsageLine
from farm.billing.payers import agree_anew, assignment_at, default_payer, take_back
from farm.billing.prices import Rate, reprice_server
from provisioning.provider import Machine, MachineStatus
from tests.farm.billing.scenes import MONTHLY, NOON, agent_of, machine_of, offer, swept
from tests.farm.web.scenes import People, people

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def us(db: None) -> People:
    """Alice, Bob and Charlie."""
    return people()


def metered(hours: float) -> None:
    swept(NOON + hours * HOUR)
    meter(NOON + hours * HOUR)


def causes(server: Server) -> list[str]:
    lines = UsageLine.objects.filter(server_uid=server.uid, kind="server")
    return [line.cause for line in lines.order_by("hour_index")]


@pytest.mark.parametrize("before", [0, 1, 3])
def test_hours_in_the_pool_are_the_farms_whenever_they_are_written(us: People, before: int) -> None:
    server = machine_of(None, created=NOON)
    metered(before)
    agent = agent_of(us.alice, us.account, at=NOON + 3.5 * HOUR)
    claimed = NOON + 3.5 * HOUR
    Server.objects.update(agent=agent, joined_at=claimed, serving_since=claimed + 2 * MINUTE)
    metered(6)
    assert causes(server) == [Cause.POOL] * 3 + [""] * 2
    pooled = UsageLine.objects.filter(cause=Cause.POOL)
    assert {(x.agent_uid, x.person_email, x.payer_id, x.micros) for x in pooled} == {
        ("", "", None, 0)
    }


def test_hours_in_the_pool_count_toward_the_months_price_of_the_machine(us: People) -> None:
    server = machine_of(None, created=NOON)
    agent = agent_of(us.alice, us.account, at=NOON + 300 * HOUR)
    joined = NOON + 300 * HOUR
    Server.objects.update(agent=agent, joined_at=joined, serving_since=joined)
    metered(639)
    lines = UsageLine.objects.filter(server_uid=server.uid, kind="server")
    assert sum(line.cloud_micros for line in lines) == 3_990_000
    assert sum(line.micros for line in lines) == 3_990_000 - 300 * 6_400


def test_a_successor_is_its_payers_from_its_first_hour_after_it_took_over(us: People) -> None:
    agent = agent_of(us.alice, us.account)
    old = machine_of(agent, created=NOON, serving=NOON, gone=NOON + 3.5 * HOUR)
    new = machine_of(agent, created=NOON + 2 * HOUR, serving=NOON + 2.8 * HOUR)
    Server.objects.filter(pk=old.pk).update(let_go_at=NOON + 2.8 * HOUR)
    Server.objects.filter(pk=new.pk).update(takes_over_from=old, took_over_at=NOON + 2.7 * HOUR)
    metered(6)
    assert causes(old) == ["", "", "", Cause.LEAVING]
    assert causes(new) == [Cause.OVERLAP, "", ""]
    paid = UsageLine.objects.filter(kind="server", payer__isnull=False).order_by("began_at")
    began = [line.began_at for line in paid]
    assert all(later - before >= HOUR for before, later in pairwise(began))


def test_a_successor_that_never_took_over_is_the_farms(us: People) -> None:
    agent = agent_of(us.alice, us.account)
    old = machine_of(agent, created=NOON, serving=NOON)
    new = machine_of(agent, created=NOON + HOUR, gone=NOON + 2.5 * HOUR)
    Server.objects.filter(pk=new.pk).update(takes_over_from=old)
    metered(6)
    assert causes(new) == [Cause.OVERLAP, Cause.OVERLAP]
    assert set(causes(old)) == {""}


def test_a_resized_machine_costs_its_new_price_from_that_moment(us: People) -> None:
    agent = agent_of(us.alice, us.account)
    server = machine_of(agent, created=NOON, serving=NOON)
    for _ in range(2):
        reprice_server(
            server_uid=server.uid,
            at=NOON + 90 * MINUTE,
            server=Rate(13_600, 8_490_000, "EUR"),
            counts_anew=True,
        )
    metered(4)
    lines = UsageLine.objects.filter(server_uid=server.uid, kind="server").order_by("hour_index")
    assert [(line.began_at - NOON) // MINUTE for line in lines] == [0, 60, 90, 150]
    assert [line.cloud_micros for line in lines] == [6_400, 6_400, 13_600, 13_600]
    assert UsageLine.objects.filter(server_uid=server.uid, kind="ipv4").count() == 3


def test_hours_after_a_resize_began_wait_until_it_is_over(us: People) -> None:
    agent = agent_of(us.alice, us.account)
    server = machine_of(agent, created=NOON, serving=NOON)
    Server.objects.update(wanted_type="cx33")
    Agent.objects.update(phase="resizing", phase_since=NOON + 70 * MINUTE)
    metered(5)
    assert len(causes(server)) == 2
    rate = Rate(13_600, 8_490_000, "EUR")
    at = NOON + 75 * MINUTE
    reprice_server(server_uid=server.uid, at=at, server=rate, counts_anew=True)
    Server.objects.update(wanted_type="")
    metered(5)
    lines = UsageLine.objects.filter(server_uid=server.uid, kind="server").order_by("hour_index")
    assert [line.cloud_micros for line in lines] == [6_400] * 2 + [13_600] * 3


@pytest.mark.parametrize(("wanted", "then"), [("", 13_600), ("cx43", 6_400)])
def test_what_somebody_changed_at_the_cloud_costs_that_unless_it_is_the_farms_own_doing(
    us: People, wanted: str, then: int
) -> None:
    server = machine_of(agent_of(us.alice, us.account), created=NOON, serving=NOON)
    offer("cx33", 13_600)
    Server.objects.update(wanted_type=wanted)
    rows = list(Server.objects.all())
    shown = Machine("1", str(server), MachineStatus.RUNNING, None, "cx33", "nbg1", NOON, {})
    for minute in (90, 95):
        note_types(rows, [shown], NOON + minute * MINUTE)
    Server.objects.update(wanted_type="")
    metered(4)
    lines = UsageLine.objects.filter(server_uid=server.uid, kind="server").order_by("hour_index")
    assert [line.cloud_micros for line in lines] == [6_400, 6_400, then, then][: len(lines)]
    assert len(lines) == (4 if then == 13_600 else 3)


def test_what_was_agreed_on_counts_from_its_moment_and_in_its_month_the_higher(us: People) -> None:
    agent = agent_of(us.alice, us.account)
    machine_of(agent, created=NOON, serving=NOON)
    agree_anew(agent_uid=agent.uid, monthly_micros=3_000_000, at=NOON + 100 * HOUR)
    metered(24 * 75)
    by_month = {
        month: sum(line.micros for line in UsageLine.objects.filter(month__month=month))
        for month in (11, 12)
    }
    assert by_month == {11: MONTHLY, 12: 3_000_000}


def test_what_came_to_nothing_is_taken_back_from_its_moment(us: People) -> None:
    agent, payer = agent_of(us.alice, us.account), default_payer(us.account)
    wished = NOON + 50 * HOUR
    agree_anew(agent_uid=agent.uid, monthly_micros=2 * MONTHLY, at=wished)
    assert committed(payer, us.alice, wished) == 2 * MONTHLY
    take_back(agent_uid=agent.uid, monthly_micros=MONTHLY, since=wished)
    assert committed(payer, us.alice, wished) == MONTHLY
    said = assignment_at(agent.uid, wished)
    assert said
    assert said.monthly_micros == MONTHLY
    assert said.payer == payer
