"""What machines cost: started hours, the cloud's monthly price, what an agent may cost at most."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from farm.accounts.services import account_of
from farm.billing.metering import cost_so_far
from farm.billing.models import PriceRow
from farm.billing.payers import assign, default_payer
from farm.billing.prices import Rate, pin_prices
from farm.billing.selectors import rate_of
from farm.billing.stays import Stay
from tests.farm.web.scenes import person

pytestmark = pytest.mark.django_db
CREATED = datetime(2026, 11, 3, 9, 20, tzinfo=UTC)
SERVER = Rate(hourly_micros=6_400, monthly_micros=3_990_000, currency="EUR")
IPV4 = Rate(hourly_micros=800, monthly_micros=500_000, currency="EUR")
HOURLY = 7_200
MONTHLY = 4_490_000
STAY = Stay("abc", "agent", CREATED, CREATED, serving_since=CREATED)


@pytest.fixture(autouse=True)
def priced(db: None) -> None:
    """Two servers with their prices pinned, and what two agents may cost."""
    asked = CREATED - timedelta(seconds=30)
    for uid in ("abc", "second"):
        pin_prices(server_uid=uid, at=asked, server=SERVER, ipv4=IPV4)
    alice = person("alice")
    for uid in ("agent", "other"):
        assign(
            agent_uid=uid,
            agent_name=uid,
            payer=default_payer(account_of(user=alice)),
            cost_centre="",
            person=alice,
            monthly_micros=MONTHLY,
            at=asked,
        )


def cost(since: timedelta, until: timedelta) -> int:
    stay = replace(STAY, serving_since=CREATED + since, known_until=CREATED + until)
    return cost_so_far([stay])["agent"]


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        (timedelta(minutes=3), timedelta(minutes=3), 1),
        (timedelta(minutes=3), timedelta(minutes=59), 1),
        (timedelta(minutes=3), timedelta(minutes=60), 2),
        (timedelta(minutes=61), timedelta(minutes=62), 1),
        (timedelta(minutes=3), timedelta(hours=23, minutes=59), 24),
    ],
)
def test_a_started_hour_is_a_whole_hour_counted_from_its_creation(
    since: timedelta, until: timedelta, hours: int
) -> None:
    assert cost(since, until) == hours * HOURLY


def test_an_end_on_the_hour_begins_no_new_one() -> None:
    end = CREATED + timedelta(hours=2)
    assert cost_so_far([replace(STAY, known_until=end, gone_at=end)])["agent"] == 2 * HOURLY


def test_a_month_costs_at_most_the_monthly_price() -> None:
    assert cost(timedelta(0), timedelta(days=26)) == MONTHLY


def test_hours_after_the_removal_was_ordered_are_not_the_payers() -> None:
    leaving = replace(
        STAY,
        let_go_at=CREATED + timedelta(minutes=50),
        known_until=CREATED + timedelta(minutes=70),
        gone_at=CREATED + timedelta(minutes=70),
    )
    assert cost_so_far([leaving])["agent"] == HOURLY


def test_all_machines_of_an_agent_share_what_it_costs_at_most() -> None:
    middle, end = CREATED + timedelta(hours=400), CREATED + timedelta(hours=650)
    stays = [
        replace(STAY, known_until=middle, gone_at=middle),
        replace(
            STAY, server_uid="second", created_at=middle, serving_since=middle, known_until=end
        ),
    ]
    assert cost_so_far(stays) == {"agent": MONTHLY}


def test_agents_are_charged_apart() -> None:
    stays = [STAY, replace(STAY, server_uid="second", agent_uid="other")]
    assert cost_so_far(stays) == {"agent": HOURLY, "other": HOURLY}


def test_the_next_month_begins_anew() -> None:
    until = datetime(2026, 12, 1, 1, 30, tzinfo=UTC) - CREATED
    assert cost(timedelta(0), until) == MONTHLY + 2 * HOURLY


def test_a_later_price_counts_from_its_date() -> None:
    PriceRow.objects.create(
        server_uid="abc",
        kind="server",
        valid_from=CREATED + timedelta(hours=2),
        hourly_micros=10_000,
        monthly_micros=3_990_000,
        currency="EUR",
    )
    assert cost(timedelta(0), timedelta(hours=2, minutes=5)) == 2 * HOURLY + 10_800


def test_the_rate_has_the_address_in_it() -> None:
    assert rate_of("abc") == Rate(7_200, MONTHLY, "EUR")
    assert rate_of("unknown") is None
