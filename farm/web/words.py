"""Amounts and durations as people read them, in the language of the page."""

from __future__ import annotations

from datetime import timedelta
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
    return _money(_rounded(micros, places=2), places=2, currency=currency)


def at_most(micros: int, currency: str) -> str:
    """A limit in cents, rounded up: nobody pays more than what was read."""
    value = (Decimal(micros) / MICROS).quantize(Decimal("0.01"), rounding=ROUND_CEILING)
    return _money(value, places=2, currency=currency)


def duration(seconds: float) -> str:
    """41 s, 2 min 41 s, 1 h 05 min; alike in both languages."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}{FIRM}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}{FIRM}min{FIRM}{rest:02}{FIRM}s" if rest else f"{minutes}{FIRM}min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{FIRM}h{FIRM}{minutes:02}{FIRM}min"


def lifetime(span: timedelta) -> str:
    """How long something lived: days from two days on, else a duration."""
    if span >= timedelta(days=2):
        return f"{span.days}{FIRM}d"
    return duration(span.total_seconds())


def _rounded(micros: int, *, places: int) -> Decimal:
    return (Decimal(micros) / MICROS).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def _money(value: Decimal, *, places: int, currency: str) -> str:
    return f"{number_format(value, decimal_pos=places, force_grouping=True)}{FIRM}{currency}"
