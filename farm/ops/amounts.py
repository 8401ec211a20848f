"""Amounts of money as people type them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from farm.ops.answer import Trouble


def micros_in(text: str, option: str) -> int:
    """Micro-euros in "12.50" or "12,50"; Trouble for what is no amount in whole cents."""
    try:
        euros = Decimal(text.strip().replace(",", "."))
        good = euros.is_finite() and 0 < euros <= 100_000 and euros * 100 == int(euros * 100)
    except InvalidOperation:
        good, euros = False, Decimal()
    if not good:
        raise Trouble(
            f"{option}: {text[:40]} is no amount: say euros, as in 12.50.",
            code="amount",
            field=option.lstrip("-"),
        )
    return int(euros * 1_000_000)
