"""What a span of a server costs: started hours, capped by the calendar month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from farm.billing.models import PriceRow
from farm.billing.prices import Rate, pin_prices
from farm.billing.selectors import Span, cost_of_spans, rate_of

pytestmark = pytest.mark.django_db
CREATED = datetime(2026, 11, 3, 9, 20, tzinfo=UTC)
SERVER = Rate(hourly_micros=6_400, monthly_micros=3_990_000, currency="EUR")
IPV4 = Rate(hourly_micros=800, monthly_micros=500_000, currency="EUR")
HOURLY = 7_200


@pytest.fixture
def server() -> str:
    """A server with its prices pinned."""
    pin_prices(server_uid="abc", at=CREATED - timedelta(seconds=30), server=SERVER, ipv4=IPV4)
    return "abc"


def cost(server: str, since: timedelta, until: timedelta) -> int:
    span = Span("agent", server, CREATED, CREATED + since, CREATED + until)
    return cost_of_spans([span])["agent"]


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
    server: str, since: timedelta, until: timedelta, hours: int
) -> None:
    assert cost(server, since, until) == hours * HOURLY


def test_a_month_never_costs_more_than_its_cap(server: str) -> None:
    until = datetime(2026, 12, 1, 0, 0, tzinfo=UTC) - CREATED
    assert cost(server, timedelta(0), until) == 4_490_000


def test_two_machines_of_one_agent_share_the_cap_of_a_month(server: str) -> None:
    pin_prices(server_uid="second", at=CREATED, server=SERVER, ipv4=IPV4)
    middle, end = CREATED + timedelta(hours=400), CREATED + timedelta(hours=650)
    spans = [
        Span("agent", server, CREATED, CREATED, middle),
        Span("agent", "second", middle, middle, end),
    ]
    assert cost_of_spans(spans) == {"agent": 4_490_000}


def test_agents_are_charged_apart(server: str) -> None:
    pin_prices(server_uid="other", at=CREATED, server=SERVER, ipv4=IPV4)
    spans = [
        Span("one", server, CREATED, CREATED, CREATED),
        Span("two", "other", CREATED, CREATED, CREATED),
    ]
    assert cost_of_spans(spans) == {"one": HOURLY, "two": HOURLY}


def test_the_next_month_begins_anew(server: str) -> None:
    until = datetime(2026, 12, 1, 1, 30, tzinfo=UTC) - CREATED
    assert cost(server, timedelta(0), until) == 4_490_000 + 2 * HOURLY


def test_a_later_price_counts_from_its_date(server: str) -> None:
    PriceRow.objects.create(
        server_uid=server,
        kind="server",
        valid_from=CREATED + timedelta(hours=2),
        hourly_micros=10_000,
        monthly_micros=3_990_000,
        currency="EUR",
    )
    assert cost(server, timedelta(0), timedelta(hours=2, minutes=5)) == 2 * HOURLY + 10_800


def test_the_rate_has_the_address_in_it(server: str) -> None:
    assert rate_of(server) == Rate(7_200, 4_490_000, "EUR")
    assert rate_of("unknown") is None
