"""Amounts of money as people read them, in the language of the page.

The one rule of rounding: money is counted in whole millionths, and an amount is rounded once, when
it is shown, half a cent up. A sum shown is the rounded sum, never the sum of rounded parts.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from django.utils.formats import number_format

MICROS = Decimal(1_000_000)
FIRM = "\N{NO-BREAK SPACE}"


def per_hour(micros: int, currency: str) -> str:
    """An hourly price with up to four decimals, two at least: 0.0123 EUR."""
    value = _rounded(micros, places=4)
    places = 2 if value == _rounded(micros, places=2) else 4
    return _money(value, places=places, currency=currency)


def amount(micros: int, currency: str) -> str:
    """An amount in cents; under ten cents it keeps four decimals, so that it is not nothing."""
    if 0 < micros < 100_000:
        return per_hour(micros, currency)
    return cents(micros, currency)


def cents(micros: int, currency: str) -> str:
    """An amount in cents, as a statement shows it: 4.12 EUR."""
    return _money(in_cents(micros), places=2, currency=currency)


def to_the_micro(micros: int, currency: str) -> str:
    """An amount with all its six decimals: 0.006400 EUR."""
    return _money(_rounded(micros, places=6), places=6, currency=currency)


def at_most(micros: int, currency: str) -> str:
    """A limit in cents, rounded up: nobody pays more than what was read."""
    value = (Decimal(micros) / MICROS).quantize(Decimal("0.01"), rounding=ROUND_CEILING)
    return _money(value, places=2, currency=currency)


def in_cents(micros: int) -> Decimal:
    """The amount rounded by the one rule: 4.12."""
    return _rounded(micros, places=2)


def _rounded(micros: int, *, places: int) -> Decimal:
    return (Decimal(micros) / MICROS).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def _money(value: Decimal, *, places: int, currency: str) -> str:
    return f"{number_format(value, decimal_pos=places, force_grouping=True)}{FIRM}{currency}"
