"""What a nap saves, and what stands on the buttons that change a machine."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from farm.agents.models import Offer, Server
from farm.agents.selectors import sleep_quote, wake_quote
from farm.billing.naps import Nap, Part
from farm.billing.prices import Rate, pin_prices
from tests.farm.billing.scenes import IPV4, NOON, SERVER, agent_of, machine_of, offer
from tests.farm.web.scenes import People, people

HOUR = timedelta(hours=1)
KEPT = Rate(784, 572_000, "EUR")
LATER = NOON + timedelta(days=17)
YOUNG = Nap(LATER, (Part(SERVER, 0), Part(IPV4, 0)), KEPT)


def test_a_short_nap_costs_and_a_long_one_saves() -> None:
    assert YOUNG.saves(1) < 0
    assert YOUNG.break_even() == 2
    assert YOUNG.saves(2) == 7_200 - -(-2 * 572_000 // 672)
    assert YOUNG.saves(100) > YOUNG.saves(10) > YOUNG.saves(2) > 0


def test_near_its_months_cap_a_machine_that_goes_on_is_cheaper_than_a_new_one() -> None:
    late = replace(
        YOUNG,
        at=datetime(2026, 11, 26, 12, 0, tzinfo=UTC),
        parts=(Part(SERVER, 3_900_000), Part(IPV4, 490_000)),
    )
    assert late.saves(24) < 0
    assert late.break_even() == 107
    assert late.saves(107) == 90_000 + 10_000 - 7_200 - -(-107 * 572_000 // 672)


def test_over_the_turn_of_a_month_both_have_a_new_cap() -> None:
    last_day = replace(YOUNG, at=datetime(2026, 11, 30, 12, 0, tzinfo=UTC))
    kept = -(-36 * 572_000 // 672)
    # Eleven more hours of November, and nothing in December: its cap is reached either way.
    assert last_day.saves(36) == 11 * 7_200 - kept


def test_nights_save_although_one_of_them_alone_may_not() -> None:
    nap = replace(YOUNG, at=NOON)
    assert nap.saves(14) < 0
    nights = nap.saves_monthly(30 * 14, 30)
    assert nights == 4_490_000 - 330 * 7_200 - -(-420 * 572_000 // 672)
    assert nights > 1_500_000
    assert nap.saves_monthly(30, 30) < 0


def test_where_off_is_free_two_hours_save_one() -> None:
    nap = Nap(NOON, (Part(Rate(10_000, None, "EUR"), 0),), None)
    assert [nap.saves(hours) for hours in (1, 2, 24)] == [0, 10_000, 230_000]
    assert nap.break_even() == 2


@pytest.fixture
def us(db: None) -> People:
    """Alice, Bob and Charlie, and two clouds with their prices."""
    offer("cx23", 6_400)
    offer("DEV1-M", 20_000, provider="scaleway", location="fr-par-1")
    return people()


def test_the_buttons_at_hetzner(us: People) -> None:
    agent = agent_of(us.alice, us.account, at=LATER)
    machine_of(agent, created=LATER, serving=LATER)
    slept = sleep_quote(agent, LATER + 5 * HOUR)
    assert slept
    assert slept.nap.parts == (Part(SERVER, 6 * 6_400), Part(IPV4, 6 * 800))
    assert (slept.awake.hourly_micros, slept.asleep) == (7_200, KEPT)
    assert (slept.at_most, slept.new_machine, slept.break_even_hours) == (True, True, 2)


def test_the_buttons_at_scaleway(us: People) -> None:
    agent = agent_of(us.alice, us.account)
    server = Server.objects.create(
        agent=agent,
        provider="scaleway",
        server_type="DEV1-M",
        location="fr-par-1",
        requested_at=NOON,
        phase_since=NOON,
        created_at=NOON,
        serving_since=NOON,
    )
    free = [Rate(hourly, None, "EUR") for hourly in (20_000, 4_000, 1_180)]
    pin_prices(server_uid=server.uid, at=NOON, server=free[0], ipv4=free[1], volume=free[2])
    slept = sleep_quote(agent, NOON + 5 * HOUR)
    assert slept
    assert slept.asleep == Rate(5_180, None, "EUR")
    assert (slept.at_most, slept.new_machine, slept.break_even_hours) == (False, False, 2)
    woken = wake_quote(agent)
    assert woken
    assert woken.awake == Rate(25_180, None, "EUR")
    assert woken.dearer
    agent.agreed_hourly_micros, agent.agreed_monthly_micros = 25_180, 25_180 * 744
    within = wake_quote(agent)
    assert within
    assert not within.dearer


def test_a_machine_that_costs_more_than_agreed_is_said_to_be_dearer(us: People) -> None:
    agent = agent_of(us.alice, us.account)
    machine_of(agent, created=NOON, serving=NOON, gone=NOON + HOUR)
    agent.copies.create(
        server=agent.servers.get(),
        provider="hetzner",
        asked_at=NOON,
        phase_since=NOON,
        created_at=NOON,
    )
    same = wake_quote(agent)
    assert same
    assert (same.asleep, same.dearer) == (KEPT, False)
    Offer.objects.update(hourly_micros=7_000)
    risen = wake_quote(agent)
    assert risen
    assert risen.dearer
    assert risen.awake
    assert (risen.agreed.hourly_micros, risen.awake.hourly_micros) == (7_200, 7_800)


def test_without_a_known_price_nothing_is_promised(us: People) -> None:
    agent = agent_of(us.alice, us.account)
    machine_of(agent, created=NOON, serving=NOON)
    Offer.objects.all().delete()
    assert sleep_quote(agent, NOON) is None
