"""The farm's own fee: pinned with prices, a line of its own, in every quote and every cap."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum
from django.test import override_settings

from farm import env
from farm.agents.placement import Rung, is_within
from farm.agents.reconciler.metering import meter
from farm.agents.selectors import offer_for
from farm.agents.selectors.money import own_cost_for
from farm.billing.balances import balance_of
from farm.billing.clouds import cloud_cost
from farm.billing.ledger import post, unequal
from farm.billing.ledger_rows import Book, LedgerAccount
from farm.billing.models import Assignment, Cause, Kind, PriceRow, UsageLine
from farm.billing.payers import default_payer
from farm.billing.prices import Rate, fee_on, pin_copy_price, reprice_server
from farm.billing.rule import month_of
from farm.billing.selectors import at_most_monthly, rate_of
from farm.billing.statements import statement
from tests.farm.billing.scenes import (
    IPV4,
    MONTHLY,
    NOON,
    SERVER,
    agent_of,
    machine_of,
    offer,
    swept,
)
from tests.farm.web.scenes import People, people

HOUR = timedelta(hours=1)
TEN_PERCENT = override_settings(FEE_PERCENT=Decimal("10"))
ALL = override_settings(FEE_PERCENT=Decimal("12.50"), FEE_MONTHLY=Decimal("1.46"))


@pytest.fixture
def us(db: None) -> People:
    """Alice, Bob and Charlie."""
    return people()


def metered(hours: int) -> None:
    swept(NOON + hours * HOUR)
    meter(NOON + hours * HOUR + timedelta(minutes=2))


def taken() -> int:
    fees = UsageLine.objects.filter(kind=Kind.FEE)
    return fees.aggregate(sum=Sum("micros"))["sum"] or 0


def test_it_is_a_part_of_the_price_and_a_fixed_sum_that_hours_share() -> None:
    assert fee_on([SERVER, IPV4]) is None
    with ALL:
        assert fee_on([SERVER, IPV4]) == Rate(900 + 2_000, 561_250 + 1_460_000, "EUR")
        assert fee_on([SERVER], machine=False) == Rate(800, 498_750, "EUR")
        endless = fee_on([Rate(8_000, None, "EUR")])
    assert endless == Rate(1_000 + 2_000, 744 * 1_000 + 1_460_000, "EUR")
    with TEN_PERCENT:
        assert fee_on([Rate(15, None, "EUR")]) == Rate(2, None, "EUR")


@TEN_PERCENT
def test_each_hour_has_a_line_of_it_that_costs_the_farm_nothing(us: People) -> None:
    machine_of(agent_of(us.alice, us.account), serving=NOON + timedelta(minutes=70))
    metered(4)
    lines = UsageLine.objects.filter(kind=Kind.FEE).order_by("hour_index")
    assert [(line.micros, line.cloud_micros, line.cause) for line in lines] == [
        (0, 0, Cause.BEFORE),
        *[(720, 0, "")] * 3,
    ]
    assert cloud_cost(month_of(NOON)).cloud == 4 * 7_200
    found = statement(default_payer(us.account), month_of(NOON))
    assert (found.machine, found.fee, found.total) == (3 * 7_200, 3 * 720, 3 * 7_920)


@override_settings(FEE_MONTHLY=Decimal("0.73"))
def test_a_months_fixed_fee_ends_with_its_sum(us: People) -> None:
    agent = agent_of(us.alice, us.account)
    Assignment.objects.update(monthly_micros=2 * MONTHLY)
    begun = NOON - timedelta(days=33, hours=12)
    machine_of(agent, created=begun, serving=begun)
    metered(1)
    october = UsageLine.objects.filter(kind=Kind.FEE, month=month_of(begun))
    assert october.count() == 744
    assert october.aggregate(sum=Sum("micros"))["sum"] == 730_000
    assert october.filter(capped=True).count() == 14


@override_settings(FEE_PERCENT=Decimal("100"))
def test_an_agent_costs_no_more_than_was_agreed_fee_and_all(us: People) -> None:
    machine_of(agent_of(us.alice, us.account), serving=NOON)
    metered(600)
    written = UsageLine.objects.filter(month=month_of(NOON))
    assert written.aggregate(sum=Sum("micros"))["sum"] == MONTHLY
    assert cloud_cost(month_of(NOON)).difference < 600 * 7_200


@TEN_PERCENT
def test_it_is_posted_to_a_book_of_its_own(us: People) -> None:
    machine_of(agent_of(us.alice, us.account), serving=NOON)
    metered(66)
    post(NOON + 66 * HOUR)
    balances = dict(LedgerAccount.objects.values_list("book", "balance_micros"))
    assert balances[Book.FEE] == -60 * 720
    assert balances[Book.MACHINES] == -60 * 7_200
    assert balances[Book.PAYER] == 60 * 7_920
    assert not unequal()
    left = balance_of(default_payer(us.account), NOON + 66 * HOUR).left
    assert left == -66 * 7_920


@TEN_PERCENT
def test_quotes_agreed_prices_and_ladders_have_it_and_the_farms_own_machines_do_not(
    us: People,
) -> None:
    offer("cx23", 6_400)
    quote = offer_for("small", "germany")
    cost = own_cost_for("small", "germany")
    assert quote is not None
    assert cost is not None
    assert (quote.hourly_micros, cost.hourly_micros) == (7_920, 7_200)
    assert quote.at_most_monthly_micros == -(-at_most_monthly(cost) * 11 // 10)
    rung = Rung("hetzner", "cx23", "nbg1", available=True, server=SERVER, ipv4=IPV4, volume=None)
    assert not rung.within(rung.cost)
    assert is_within(rung.cost, rung.cost)


def test_a_fee_that_comes_with_another_type_is_not_taken_of_earlier_hours(us: People) -> None:
    server = machine_of(agent_of(us.alice, us.account), serving=NOON)
    with TEN_PERCENT:
        at = NOON + 5 * HOUR
        dearer = Rate(12_800, 7_980_000, "EUR")
        for _ in range(2):
            reprice_server(server_uid=server.uid, at=at, server=dearer, counts_anew=False)
    metered(8)
    assert taken() == 3 * 1_360
    assert UsageLine.objects.filter(kind=Kind.FEE).count() == 3
    rate = rate_of(server.uid)
    assert rate is not None
    assert rate.hourly_micros == 13_600 + 1_360


def test_a_fee_that_is_given_up_ends_with_the_next_type(us: People) -> None:
    with TEN_PERCENT:
        server = machine_of(agent_of(us.alice, us.account), serving=NOON)
    at = NOON + 5 * HOUR
    reprice_server(server_uid=server.uid, at=at, server=SERVER, counts_anew=True)
    metered(8)
    assert taken() == 5 * 720


@ALL
def test_a_copy_of_a_disk_costs_the_percent_alone(us: People) -> None:
    terabyte = Rate(19_589, 14_300_000, "EUR")
    pin_copy_price(copy_uid="copy", at=NOON, gigabytes=10, terabyte=terabyte)
    fee = PriceRow.objects.get(server_uid="copy", kind=Kind.FEE)
    assert (fee.hourly_micros, fee.monthly_micros) == (25, 17_875)


@pytest.mark.parametrize("word", ["-1", "five", "1.234", "1e3", " "])
def test_what_is_no_such_number_is_refused_with_a_sentence(word: str) -> None:
    with pytest.raises(env.SettingError, match=r"FEE_PERCENT .* give a number"):
        env.decimal("FEE_PERCENT", "0", environ={"FEE_PERCENT": word})
    assert env.decimal("FEE_PERCENT", "0", environ={"FEE_PERCENT": "2.50"}) == Decimal("2.5")
