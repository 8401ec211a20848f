"""What an invoice tells of a month's end and of rounding, by which reading its sums agree."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.billing.cloud_invoices import verdict_of
from farm.billing.expected import Tally, Thing, expected
from farm.billing.models import Kind, PriceRow
from farm.billing.month_ends import Rounding, guesses
from farm.billing.reconciling import Charge, Charged, Gap, against_cloud

BEGAN = datetime(2026, 6, 30, 20, 0, tzinfo=UTC)
JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)
THING = Thing(
    "a2b3c4d5e6f7", "farm-a2b3c4d5e6f7", "hetzner", "x", BEGAN, BEGAN + timedelta(hours=9)
)
HOUR = 6_433


def price(hourly: int = HOUR, monthly: int | None = 3_990_000, kind: str = "server") -> PriceRow:
    """In force from the start."""
    return PriceRow(
        server_uid=THING.uid,
        kind=kind,
        valid_from=BEGAN,
        hourly_micros=hourly,
        monthly_micros=monthly,
        currency="EUR",
    )


PRICES = {(THING.uid, "server"): [price()]}


def said(*amounts: tuple[date, int], step: int = 1) -> str:
    """What is told of an invoice with these sums for the machine."""
    charges = [Charge("x", THING.uid, "server", month, None, sum_, step) for month, sum_ in amounts]
    return verdict_of(guesses(charges, {THING.uid: THING}, PRICES, None))


@pytest.mark.parametrize(
    ("amounts", "step", "word"),
    [
        (((JUNE, 4 * HOUR), (JULY, 5 * HOUR)), 1, "UTC alone: the assumption is confirmed"),
        (((JUNE, 2 * HOUR), (JULY, 7 * HOUR)), 1, "only with months of Europe/Berlin"),
        (((JUNE, 25_700), (JULY, 32_200)), 100, "UTC alone"),
        (((JUNE, 30_000), (JULY, 40_000)), 10_000, "rounded up: with months of UTC"),
        (((JUNE, 20_000), (JULY, 30_000)), 10_000, "rounded down: with months of UTC"),
        (((JUNE, 1), (JULY, 1)), 1, "0 of 2 sums agree"),
        ((), 1, "nothing of ours"),
    ],
)
def test_the_reading_that_fits_is_told(
    amounts: tuple[tuple[date, int], ...], step: int, word: str
) -> None:
    assert word in said(*amounts, step=step)


def test_where_nothing_crosses_a_months_end_both_readings_fit() -> None:
    inside = Thing("b", "farm-b", "hetzner", "x", BEGAN - timedelta(days=9), BEGAN)
    rows = {("b", "server"): [price(monthly=1_000)]}
    charge = Charge("x", "b", "server", JUNE, None, 1_000)
    assert "nothing crossed" in verdict_of(guesses([charge], {"b": inside}, rows, None))


@given(micros=st.integers(0, 10**9), step=st.sampled_from([1, 100, 10_000]))
def test_rounding_goes_to_a_step_and_no_further_than_one(micros: int, step: int) -> None:
    for rounding in Rounding:
        found = rounding.apply(micros, step)
        assert found % step == 0
        assert abs(found - micros) < step
    assert 2 * abs(Rounding.HALF_UP.apply(micros, step) - micros) <= step


@given(
    hours=st.integers(1, 2_000),
    minutes=st.integers(0, 59),
    monthly=st.none() | st.integers(1, 10**7),
    kind=st.sampled_from([Kind.SERVER, Kind.SNAPSHOT, Kind.IPV4]),
    split=st.integers(0, 2_000),
)
def test_months_and_pieces_add_up(
    hours: int, minutes: int, monthly: int | None, kind: Kind, split: int
) -> None:
    began = BEGAN + timedelta(minutes=minutes)
    thing = Thing("c", "farm-c", "hetzner", "x", began, began + timedelta(hours=hours))
    rows, late = [price(HOUR, monthly, kind)], began + timedelta(days=200)
    whole = expected(thing, kind, rows, late)
    assert sum(tally.hours for tally in whole.values()) == hours
    part = expected(thing, kind, rows, began + timedelta(hours=split))
    assert sum(tally.hours for tally in part.values()) == min(split, hours)
    for month, tally in part.items():
        assert tally.micros <= whole[month].micros
        if monthly is not None:
            assert tally.micros <= monthly


def differing(*charges: Charge, whole: bool = True, goes_on: bool = False) -> list[Gap]:
    """What a cloud charges otherwise than 4 hours of the machine and of its address in June."""
    ours: Mapping[tuple[str, str, date], Tally] = {
        (THING.uid, "server", JUNE): Tally(4, 4 * HOUR),
        (THING.uid, "ipv4", JUNE): Tally(4, 3_200),
    }
    until = datetime(2026, 7, 1, tzinfo=UTC) if whole else BEGAN
    charged = Charged("hetzner", JUNE, until, charges, goes_on)
    return list(against_cloud([THING], ours, charged))


SERVER = Charge("x", THING.uid, "server", JUNE, 4, 4 * HOUR)
ADDRESS = Charge("primary_ip-1", "", "ipv4", JUNE, 4, 3_200)


def test_a_cloud_that_charges_the_same_is_no_difference() -> None:
    assert differing(SERVER, ADDRESS) == []


def test_a_doubled_hour_and_a_missing_thing_are_each_named() -> None:
    doubled = Charge("x", THING.uid, "server", JUNE, 5, 5 * HOUR)
    (server,) = differing(doubled, ADDRESS)
    assert (server.subject, server.kind, server.other.micros - server.ours.micros) == (
        THING.uid,
        "server",
        HOUR,
    )
    (address,) = differing(SERVER)
    assert (address.subject, address.kind, address.other.micros) == (THING.uid, "ipv4", 0)


def test_a_thing_that_nobody_knows_is_named_by_the_clouds_word() -> None:
    stray = Charge("farm-zzzzzzzzzzzz", "", "server", JUNE, 1, HOUR)
    (found,) = differing(SERVER, ADDRESS, stray)
    assert (found.subject, found.ours.hours, found.other_hours) == ("farm-zzzzzzzzzzzz", 0, 1)


def test_while_a_month_goes_on_only_too_much_is_an_alarm() -> None:
    less = Charge("x", THING.uid, "server", JUNE, None, HOUR)
    more = Charge("x", THING.uid, "server", JUNE, None, 5 * HOUR)
    assert differing(less, goes_on=True) == []
    assert len(differing(more, goes_on=True)) == 1


def test_what_an_invoice_rounds_away_is_no_difference() -> None:
    rounded = Charge("x", THING.uid, "server", JUNE, 4, 25_700, 100)
    assert differing(rounded, ADDRESS) == []
    assert len(differing(Charge("x", THING.uid, "server", JUNE, 4, 25_800, 100), ADDRESS)) == 1
