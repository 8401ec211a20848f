"""VAT by country, as Stripe Tax would find it for a seller in France with one-stop shop."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

SELLER = "FR"
# Standard rates in percent; the European Commission's list of 2026.
_BY_RATE = {
    "20": (
        "AT",
        "BG",
        "FR",
    ),
    "21": (
        "BE",
        "CZ",
        "ES",
        "LT",
        "LV",
        "NL",
        "RO",
    ),
    "19": (
        "CY",
        "DE",
    ),
    "25": (
        "DK",
        "HR",
        "SE",
    ),
    "24": (
        "EE",
        "GR",
    ),
    "25.5": ("FI",),
    "27": ("HU",),
    "23": (
        "IE",
        "PL",
        "PT",
        "SK",
    ),
    "22": (
        "IT",
        "SI",
    ),
    "17": ("LU",),
    "18": ("MT",),
}
RATES: Mapping[str, Decimal] = {
    country: Decimal(percent) for percent, countries in _BY_RATE.items() for country in countries
}
_VAT = re.compile(r"([A-Z]{2})([0-9A-Z+*]{2,12})")
# Greece writes EL before its numbers.
_COUNTRY_OF = {"EL": "GR"}


class Reason(StrEnum):
    """Why there is that much of it: `taxability_reason`."""

    STANDARD = "standard_rated"
    REVERSE_CHARGE = "reverse_charge"
    NOT_SUBJECT = "not_subject_to_tax"


@dataclass(frozen=True, slots=True)
class Rate:
    """Percent of VAT for one buyer, and why. `country` is whose VAT it is."""

    country: str
    percent: str
    reason: Reason

    def on(self, net: int) -> int:
        """The tax on this many cents, half a cent up."""
        exact = Decimal(net) * Decimal(self.percent) / 100
        return int(exact.quantize(Decimal(1), ROUND_HALF_UP))

    def within(self, gross: int) -> int:
        """The tax that is in this many cents already."""
        exact = Decimal(gross) - Decimal(gross) / (1 + Decimal(self.percent) / 100)
        return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def rate_for(country: str, *, company: bool) -> Rate:
    """What a buyer there is charged; a `company` has a valid VAT id of the European Union."""
    if country not in RATES:
        return Rate(country, "0", Reason.NOT_SUBJECT)
    if company and country != SELLER:
        return Rate(country, "0", Reason.REVERSE_CHARGE)
    return Rate(country, str(RATES[country]), Reason.STANDARD)


def country_of_vat(value: str) -> str | None:
    """The country that gave this VAT id; None if it is written as none."""
    found = _VAT.fullmatch(value.replace(" ", "").replace(".", "").upper())
    if found is None:
        return None
    country = _COUNTRY_OF.get(found[1], found[1])
    return country if country in RATES else None


def verification_of(value: str) -> str:
    """What the tax office will say: by the endings that Stripe documents for tests."""
    if value.endswith("111111111"):
        return "unverified"
    return "pending" if value.endswith("222222222") else "verified"
