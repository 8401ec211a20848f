"""Prices that no cloud's list tells are dated rows of the catalogue."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

import farm.catalog
from farm.agents.clouds import credentials_of
from farm.agents.models import ProviderProject
from farm.catalog import read

LATER = """
[[unlisted_prices]]
provider = "scaleway"
kind = "ipv4"
since = 2027-02-01
hourly = "0.005"
"""


def test_each_day_has_the_price_of_the_latest_row() -> None:
    text = Path(farm.catalog.__file__).with_name("catalog.toml").read_text()
    both = read(text + LATER)
    days = (date(2026, 11, 23), date(2027, 1, 31), date(2027, 2, 1))
    prices = [both.unlisted_price("scaleway", "ipv4", day) for day in days]
    assert prices == [Decimal("0.004"), Decimal("0.004"), Decimal("0.005")]
    with pytest.raises(KeyError):
        both.unlisted_price("scaleway", "ipv4", date(2020, 1, 1))


def test_scaleways_addresses_cost_what_the_catalogue_says() -> None:
    opened = credentials_of(ProviderProject(provider="scaleway", name="main"))
    assert opened.ipv4_hourly == Decimal("0.004")
